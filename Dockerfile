# syntax=docker/dockerfile:1
# Vitrine without a GPU: docker build -t vitrine:cpu .
FROM python:3.11-slim AS made

ARG EXTRAS=cpu,postgres,otel
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/vitrine
WORKDIR /source
# torch of the CPU index is a tenth of the one with CUDA; an index given by PIP_EXTRA_INDEX_URL is asked too.
ARG PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
COPY . .
RUN /opt/vitrine/bin/pip install --constraint constraints.txt ".[${EXTRAS}]"

FROM python:3.11-slim

# libgomp is what LightGBM and FAISS count with.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --home-dir /home/vitrine vitrine \
    && mkdir /store && chown vitrine /store
COPY --from=made /opt/vitrine /opt/vitrine
ENV PATH=/opt/vitrine/bin:$PATH PYTHONUNBUFFERED=1 HOME=/tmp OMP_WAIT_POLICY=passive
USER 10001
WORKDIR /home/vitrine
VOLUME /store
EXPOSE 8000
# Ready, not merely alive: an orchestrator sends nobody to a shop that is still being opened.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["vitrine"]
CMD ["serve", "--store", "/store", "--host", "0.0.0.0"]
