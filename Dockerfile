# mqttbridge in a small image: no root, a read-only root file system, all state in /data.
#   docker build -t mqttbridge .
#   docker run --read-only -v mqttbridge:/data -p 8080:8080 \
#     -e MQTTBRIDGE_MQTT__URL=mqtt://broker:1883 -e 'MQTTBRIDGE_HTTP__WRITE_KEYS=[choose-a-key]' mqttbridge

FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv --without-pip /opt/mqttbridge
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY mqttbridge mqttbridge
RUN python -m pip --python /opt/mqttbridge install --no-cache-dir --disable-pip-version-check \
      --constraint constraints.txt ".[homeassistant]"

FROM python:3.13-slim
# A fixed number, so that a volume's owner is the same on every host and `runAsNonRoot` can check it.
RUN groupadd --gid 10001 mqttbridge \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin mqttbridge \
 && install -d -o 10001 -g 10001 -m 0750 /data
COPY --from=build /opt/mqttbridge /opt/mqttbridge
COPY deploy/healthcheck.py /opt/mqttbridge/healthcheck.py
# In a container, only an address beyond loopback is of use; the bridge then insists on http.write_keys.
ENV PATH=/opt/mqttbridge/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    MQTTBRIDGE_DATA_DIR=/data \
    MQTTBRIDGE_HTTP__LISTEN=0.0.0.0:8080
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
  CMD ["python", "/opt/mqttbridge/healthcheck.py"]
ENTRYPOINT ["mqttbridge"]
CMD ["run"]
