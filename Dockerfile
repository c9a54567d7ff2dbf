# The service with all plugins; plugins.toml says which run. Builds on amd64 and arm64: every dependency comes as a wheel.
# Debian 12's own `docker build` and buildah understand every line.

# The large base has `strip`: what debuggers read is half of what the wheels bring. zstandard brings a second form of
# itself for PyPy.
FROM python:3.11 AS build
WORKDIR /build
COPY requirements-all.lock ./
RUN python -m venv /opt/log-aggregator \
 && /opt/log-aggregator/bin/pip install --no-cache-dir --require-hashes --only-binary :all: --requirement requirements-all.lock
COPY core core
COPY packages packages
COPY plugins plugins
RUN /opt/log-aggregator/bin/pip install --no-cache-dir --no-build-isolation --no-deps \
      ./core ./packages/client ./packages/reader ./packages/service ./plugins/* \
 && /opt/log-aggregator/bin/pip uninstall --yes setuptools pip \
 && find /opt/log-aggregator -name '*.so*' -type f -exec strip --strip-unneeded {} + \
 && find /opt/log-aggregator -name '*.py[ix]' -type f -delete \
 && find /opt/log-aggregator -path '*/zstandard/_cffi.*' -type f -delete

# Whoever publishes the port decides who reaches it: ALLOW_ANONYMOUS=1 stands for that. API_KEYS_FILE asks for keys.
FROM python:3.11-slim
LABEL org.opencontainers.image.title="log-aggregator" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin log-aggregator \
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
HEALTHCHECK --interval=15s --timeout=10s --start-period=60s \
    CMD ["log-aggregator", "health"]
ENTRYPOINT ["log-aggregator"]
CMD ["serve"]
