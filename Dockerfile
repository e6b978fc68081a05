# Bijdehand with its model baked in: no network is needed to answer.
FROM python:3.11-slim AS build
WORKDIR /app
COPY pyproject.toml constraints.txt README.md ./
COPY bots bots
COPY core core
COPY knowledge knowledge
COPY seeds seeds
RUN python -m venv /venv \
 && /venv/bin/pip install --no-cache-dir -c constraints.txt --editable .
ENV BIJDEHAND_CACHE=/cache BIJDEHAND_DATA=/tmp/build
RUN /venv/bin/bijdehand init --empty && chmod -R a+rX /cache

FROM python:3.11-slim
# The repository comes first on the path, so that no installed package can pose as core, bots or knowledge.
ENV PYTHONPATH=/app PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 \
    BIJDEHAND_CACHE=/cache BIJDEHAND_DATA=/data BIJDEHAND_HOST=0.0.0.0
COPY --from=build /venv /venv
COPY --from=build /app /app
RUN useradd --system --uid 10001 bijdehand && mkdir /data && chown bijdehand /data
# Its own, since what is learnt about your articles is kept beside the model.
COPY --from=build --chown=10001 /cache /cache
RUN cd / && python -c "import bots, core, knowledge; assert all(p.__file__.startswith('/app/') for p in (bots, core, knowledge))"
USER bijdehand
WORKDIR /app
VOLUME /data
EXPOSE 3978
HEALTHCHECK --start-period=30s CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/readyz', timeout=3)"
CMD ["bijdehand", "serve"]
