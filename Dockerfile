# The service with the plugins of plugins.toml. Builds on amd64 and arm64: every dependency comes as a wheel.

FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.lock plugins.toml ./
RUN python -m venv /opt/log-aggregator \
 && /opt/log-aggregator/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements.lock
COPY core core
COPY packages packages
COPY plugins plugins
RUN /opt/log-aggregator/bin/pip install --no-cache-dir --no-build-isolation --no-deps \
      ./core ./packages/client ./packages/reader ./packages/service $(sed -n 's/^\[plugins\.\([a-z0-9_-]*\)\].*/.\/plugins\/\1/p' plugins.toml) \
 && /opt/log-aggregator/bin/pip uninstall --yes setuptools pip

# Whoever publishes the port decides who reaches it: ALLOW_ANONYMOUS=1 stands for that. API_KEYS_FILE asks for keys.
FROM python:3.11-slim
LABEL org.opencontainers.image.title="log-aggregator" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home log-aggregator \
 && install --directory --mode=700 --owner=log-aggregator /data
COPY --from=build /opt/log-aggregator /opt/log-aggregator
COPY plugins.toml /etc/log-aggregator/plugins.toml
ENV PATH=/opt/log-aggregator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    ALLOW_ANONYMOUS=1 \
    PORT=8004 \
    DATA_DIR=/data \
    PLUGINS_FILE=/etc/log-aggregator/plugins.toml
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8004
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --start-interval=1s \
    CMD ["log-aggregator", "health"]
ENTRYPOINT ["log-aggregator"]
CMD ["serve"]
