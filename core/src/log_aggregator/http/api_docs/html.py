"""The page that explains all calls, made from the OpenAPI document: one file, no script, no internet."""

from __future__ import annotations

import html
import json
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent);
  --soft: color-mix(in srgb, currentColor 6%, transparent); --link: light-dark(#0550ae, #79b8ff); }
* { box-sizing: border-box }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 56rem; margin: 0 auto; padding: 2rem 1.25rem 6rem;
  color: light-dark(#1c2128, #dfe3e8); background: light-dark(#fff, #14171b) }
h1 { font-size: 1.6rem; margin: 0 0 .25rem } h2 { margin: 2.5rem 0 .5rem; font-size: 1.15rem }
a { color: var(--link) } p { margin: .5rem 0 }
code, pre { font: .875em/1.5 ui-monospace, monospace }
code { background: var(--soft); padding: .1em .3em; border-radius: 4px }
pre { background: var(--soft); padding: .75rem 1rem; border-radius: 8px; overflow-x: auto }
pre code { background: none; padding: 0 }
details { border: 1px solid var(--line); border-radius: 8px; margin: .5rem 0; padding: 0 1rem }
details[open] { padding-bottom: .75rem } summary { cursor: pointer; padding: .6rem 0; overflow-wrap: anywhere }
summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 4px }
summary b { font: 600 .95em ui-monospace, monospace; margin-right: .6em } h3 { font-size: .9rem; margin: 1rem 0 .25rem }
.method { display: inline-block; min-width: 3.2em; font: 600 .8em ui-monospace, monospace; opacity: .75 }
table { border-collapse: collapse; width: 100%; font-size: .9rem } td { border-top: 1px solid var(--line);
  padding: .35rem .75rem .35rem 0; vertical-align: top; overflow-wrap: anywhere } td:first-child { white-space: nowrap }
"""


def docs_page(document: dict[str, Any], url: str) -> str:
    """HTML for an OpenAPI document; `url` is where the service answers, for the examples."""
    groups: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            groups.setdefault(operation["tags"][0], []).append(_call(path, method, operation, document, url))
    sections = "".join(f"<h2>{_text(group)}</h2>{''.join(calls)}" for group, calls in groups.items())
    title = _text(document["info"]["title"])
    paragraphs = "".join(f"<p>{_marked(part)}</p>" for part in document["info"]["description"].split("\n\n"))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: all calls</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
        f'<p>Version {_text(document["info"]["version"])}. For programs: <a href="openapi.json">openapi.json</a></p>'
        f"{paragraphs}{sections}</main></body></html>"
    )


def _call(path: str, method: str, operation: dict[str, Any], document: dict[str, Any], url: str) -> str:
    parts = [f"<p>{_marked(operation['description'])}</p>"]
    example = _example(path, method, operation, document, url)
    parts.append(f"<pre><code>{_text(example)}</code></pre>")
    if operation["parameters"]:
        rows = "".join(_parameter(parameter) for parameter in operation["parameters"])
        parts.append(f"<h3>Parameters</h3><table>{rows}</table>")
    fields = _fields(operation, document)
    if fields:
        parts.append(f"<h3>Body</h3><table>{fields}</table>")
    answers = "".join(
        f"<tr><td><code>{status}</code></td><td>{_marked(answer['description'])}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    parts.append(f"<h3>Answers</h3><table>{answers}</table>")
    head = f'<span class="method">{method.upper()}</span> <b>{_text(path)}</b> {_text(operation["summary"])}'
    return f'<details id="{_text(operation["operationId"])}"><summary>{head}</summary>{"".join(parts)}</details>'


def _example(path: str, method: str, operation: dict[str, Any], document: dict[str, Any], url: str) -> str:
    target = url + path.replace("{id}", "0123456789abcdef")
    if "requestBody" not in operation:
        return f"curl {'-X POST ' if method == 'post' else ''}'{target}'"
    log = document["components"]["schemas"]["Log"]["examples"][0]
    body = {"logs": [log]} if path.endswith("batch") else log
    return f"curl -X POST '{target}' -H 'Content-Type: application/json' \\\n  -d '{json.dumps(body)}'"


def _parameter(parameter: dict[str, Any]) -> str:
    schema = parameter["schema"]
    details = [parameter["description"]]
    if "enum" in schema:
        details.append("one of " + ", ".join(f"`{choice}`" for choice in schema["enum"]))
    if "default" in schema:
        details.append(f"default `{schema['default']}`")
    if "maximum" in schema:
        details.append(f"{schema.get('minimum', 0)} to {schema['maximum']}")
    where = "" if parameter["in"] == "query" else f" ({parameter['in']})"
    return f"<tr><td><code>{_text(parameter['name'])}</code>{where}</td><td>{_marked('; '.join(details))}</td></tr>"


def _fields(operation: dict[str, Any], document: dict[str, Any]) -> str:
    if "requestBody" not in operation:
        return ""
    log = document["components"]["schemas"]["Log"]
    rows = []
    for name, schema in log["properties"].items():
        needed = "required; " if name in log["required"] else ""
        default = f"; default `{schema['default']}`" if schema.get("default") else ""
        rows.append(
            f"<tr><td><code>{name}</code></td><td>{_marked(needed + schema['description'] + default)}</td></tr>"
        )
    return "".join(rows)


def _marked(text: str) -> str:
    """Text with `code` marked as such."""
    pieces = _text(text).split("`")
    return "".join(f"<code>{piece}</code>" if index % 2 else piece for index, piece in enumerate(pieces))


def _text(value: Any) -> str:
    return html.escape(str(value))
