"""The table of all calls: what each takes and answers. Routes, OpenAPI and `/docs` are made from it."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel

from log_aggregator.http import on_call_params, parameters
from log_aggregator.http.api_docs import models, on_call_models
from log_aggregator.oncall import ValueCounts
from log_aggregator.store import StoreHealth

TAKING = {
    400: "broken: not JSON, broken off, or not what its encoding says",
    408: "the body came too slowly",
    413: "too large, or too many logs",
    415: "this content encoding or charset is not understood, or the content type holds no text",
    417: "an expectation other than 100-continue",
    422: "no log in it could be taken, or the Idempotency-Key came with another body",
    429: "more logs than this client or source may send; see Retry-After",
    503: "no logs can be taken now; see Retry-After",
}
READING = {422: "a parameter is wrong", 503: "the store is out of reach; see Retry-After"}
ON_CALL = READING | {501: "the store keeps no marks and no triage, and compares nothing"}
CHANGING = ON_CALL | {
    400: "the body is not JSON",
    413: "the body is too large",
    422: "a field of the body is wrong",
}
ALWAYS = {
    400: "the Host is not a host name",
    401: "an API key is needed (only where keys are switched on)",
    403: "the API key lacks the scope or is bound to other sources, or a page of another site sent this",
    421: "the Host is not answered for; see ALLOWED_HOSTS",
    429: "this API key is over its rate, or the client has sent too many wrong keys; see Retry-After",
    500: "the service failed",
}


class Call(NamedTuple):
    """One call. `answers` maps a status to the shape of its JSON answer; problems are named in `problems`."""

    method: str
    path: str
    title: str
    text: str
    answers: dict[int, type[BaseModel]]
    problems: dict[int, str]
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    group: str = "Read"


CALLS = [
    Call(
        "POST",
        "/ingest",
        "Send one log",
        "Answered once the log is on disk. With an `Idempotency-Key`, a retry of the same body is counted once. "
        "A body that is not JSON is taken as lines of text, a log each; several logs are answered as a batch.",
        {202: models.OneAccepted, 200: models.OneAccepted},
        TAKING,
        query=parameters.IngestParameters,
        body=models.Log,
        group="Send",
    ),
    Call(
        "POST",
        "/ingest/batch",
        "Send several logs",
        '`{"logs": [...]}`, a list, or NDJSON (`application/x-ndjson`), plain or as gzip, deflate or zstd. '
        "Lines of text are taken, too, a log each. Good logs are taken; the others are named by index.",
        {202: models.BatchAccepted, 200: models.BatchAccepted},
        TAKING,
        query=parameters.IngestParameters,
        body=models.BatchBody,
        group="Send",
    ),
    Call(
        "GET",
        "/patterns",
        "List patterns",
        "The stored patterns with their counts, a page at a time.",
        {200: models.Patterns},
        READING,
        query=parameters.PatternParameters,
    ),
    Call(
        "GET",
        "/patterns/{id}",
        "Show a pattern",
        "One pattern with its metadata and its earlier ids. An earlier id leads to the same pattern.",
        {200: models.PatternDetails},
        READING | {404: "no pattern has this id"},
        query=parameters.Parameters,
    ),
    Call(
        "GET",
        "/patterns/{id}/timeline",
        "Show a pattern over time",
        "Counts per step; without a span, of the last day.",
        {200: models.Timeline},
        READING | {404: "no pattern has this id"},
        query=parameters.TimelineParameters,
    ),
    Call(
        "GET",
        "/series",
        "Show counts over time",
        "Counts of all logs per step, or of a level, a source, a pattern.",
        {200: models.SeriesAnswer},
        READING,
        query=parameters.SeriesParameters,
    ),
    Call(
        "GET",
        "/anomalies",
        "List anomalies",
        "What was new, spiked or fell silent, newest first.",
        {200: models.Anomalies},
        READING,
        query=parameters.AnomalyParameters,
    ),
    Call(
        "GET",
        "/compare",
        "Compare two spans of time",
        "What changed: new, gone, more and less frequent patterns, levels and values that moved. Counts are tested, so "
        "that two spans without a change have hardly a finding.",
        {200: on_call_models.ComparisonAnswer},
        ON_CALL,
        query=on_call_params.CompareParameters,
        group="On call",
    ),
    Call(
        "GET",
        "/values",
        "Count by value",
        "Logs and errors by the value of a metadata key or of a variable, the most frequent first; of the last hour "
        "without a time. Rows that begin or end outside of the time count with all their logs.",
        {200: ValueCounts},
        ON_CALL,
        query=on_call_params.ValuesParameters,
        group="On call",
    ),
    Call(
        "GET",
        "/marks",
        "List marks",
        "What happened, newest first. Every time in a query may be `mark:<slug>`.",
        {200: on_call_models.Marks},
        ON_CALL,
        query=on_call_params.MarkParameters,
        group="On call",
    ),
    Call(
        "POST",
        "/marks",
        "Set a mark",
        "Keeps that something happened, such as a deployment.",
        {201: on_call_models.MarkFields},
        CHANGING,
        body=on_call_params.MarkBody,
        group="On call",
    ),
    Call(
        "DELETE",
        "/marks/{id}",
        "Remove a mark",
        "Forgets a mark.",
        {},
        ON_CALL | {404: "no mark has this id"},
        group="On call",
    ),
    Call(
        "GET",
        "/triage",
        "List triaged patterns",
        "What people said of patterns, the latest change first.",
        {200: on_call_models.TriageList},
        ON_CALL,
        query=on_call_params.TriageListParameters,
        group="On call",
    ),
    Call(
        "GET",
        "/patterns/{id}/triage",
        "Show the triage of a pattern",
        "What people said of a pattern, and who changed what. It is `open` while nobody did.",
        {200: on_call_models.TriageAnswer},
        ON_CALL | {404: "no pattern has this id"},
        query=parameters.Parameters,
        group="On call",
    ),
    Call(
        "POST",
        "/patterns/{id}/triage",
        "Triage a pattern",
        "Acknowledge, mute or resolve a pattern, or give it a name, a note or an owner. A muted pattern raises no "
        "alarm; a resolved one raises one when it comes again.",
        {200: on_call_models.TriageAnswer},
        CHANGING | {404: "no pattern has this id"},
        body=on_call_params.TriageBody,
        group="On call",
    ),
    Call(
        "GET",
        "/explain",
        "Explain a line",
        "What the stages make of a log line. Nothing is stored.",
        {200: on_call_models.Explained},
        {422: "a parameter is wrong"},
        query=on_call_params.ExplainParameters,
        group="On call",
    ),
    Call(
        "POST",
        "/flush",
        "Flush now",
        "Seals what has gathered and waits until the sinks have it, or the deadline passes.",
        {200: models.Flushed},
        {422: "a parameter is wrong"},
        query=parameters.FlushParameters,
        group="Operate",
    ),
    Call(
        "POST",
        "/reload",
        "Reload the configuration",
        "Reads `plugins.toml`, API keys and certificates again, as SIGHUP does. A file that is wrong changes nothing; "
        "`reloads` in `GET /stats` counts both outcomes and names the latest error.",
        {202: models.Reloading},
        {422: "a parameter is wrong"},
        group="Operate",
    ),
    Call("GET", "/stats", "Show figures", "All figures of the service.", {200: models.Stats}, {}, group="Operate"),
    Call(
        "GET",
        "/health",
        "Show health",
        "`healthy`, `degraded` or `unhealthy`; 503 only when no logs can be taken. Needs no API key.",
        {200: models.Health, 503: models.Health},
        {},
        group="Operate",
    ),
    Call(
        "GET",
        "/health/db",
        "Show the store's health",
        "The store in detail; 503 while it is out of reach.",
        {200: StoreHealth, 503: StoreHealth},
        {},
        group="Operate",
    ),
]
