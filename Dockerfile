# Images of one project: `service`, the default, and `training`, which alone holds torch.
# Behind a package mirror: docker build --build-arg PIP_INDEX_URL=… (or PIP_EXTRA_INDEX_URL).

FROM python:3.11-slim AS base
ARG PIP_INDEX_URL
ARG PIP_EXTRA_INDEX_URL
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A volume takes over the owner of the folder it is first mounted on. The store itself is a folder
# in its volume, not the mount point: it is put in place by a rename.
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin roughcast \
    && install --directory --owner roughcast --group roughcast \
        /var/lib/roughcast/models /var/lib/roughcast/history
COPY requirements/service.txt /requirements/
RUN pip install --requirement /requirements/service.txt

FROM base AS wheel
WORKDIR /project
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

FROM base AS training
COPY requirements/networks.txt /requirements/
RUN pip install --requirement /requirements/networks.txt
COPY --from=wheel /wheels /wheels
RUN pip install --no-deps /wheels/*.whl
ENV HOME=/tmp
USER 10001:10001
VOLUME /var/lib/roughcast/models
WORKDIR /var/lib/roughcast
ENTRYPOINT ["python", "-m", "training"]
CMD ["retrain", "--store", "/var/lib/roughcast/models/store"]

# The same with what asks exchanges and Yahoo for bars: of deploy/compose.yml.
FROM training AS daily
COPY requirements/dev.txt /requirements/
USER root
RUN pip install --constraint /requirements/dev.txt "roughcast[providers]"
USER 10001:10001

FROM base AS service
COPY --from=wheel /wheels /wheels
RUN pip install --no-deps /wheels/*.whl
ENV ROUGHCAST_HOST=0.0.0.0 \
    ROUGHCAST_PORT=8000 \
    ROUGHCAST_STORE=/var/lib/roughcast/models/store \
    ROUGHCAST_DATABASE_URL=sqlite:////var/lib/roughcast/history/history.sqlite3
USER 10001:10001
VOLUME ["/var/lib/roughcast/models", "/var/lib/roughcast/history"]
WORKDIR /var/lib/roughcast
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"ROUGHCAST_PORT\"]}/health/ready', timeout=2)"]
CMD ["python", "-m", "service"]
