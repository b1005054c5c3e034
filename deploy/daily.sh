#!/bin/sh
# Every day: remove old versions, fetch what has closed since yesterday, then fit and publish models.
# Adapt the two lists.
set -eu

ROUGHCAST_API_KEY=$(cat /run/secrets/daily)
export ROUGHCAST_API_KEY

pull() {
    python -m training data pull "$@" --to-service "$SERVICE" || failed "data pull $*"
}

retrain() {
    python -m training retrain "$@" --from-service "$SERVICE" --store "$STORE" || failed "retrain $*"
}

prune() {
    ROUGHCAST_STORE=$STORE python -m service models prune "$@" || failed "models prune $*"
}

failed() {
    echo "failed, and tried again tomorrow: $1" >&2
}

while true; do
    now=$(date --utc +%s)
    next=$(date --utc --date "$DAILY_AT" +%s)
    [ "$next" -gt "$now" ] || next=$((next + 86400))
    sleep $((next - now))

    prune --keep 7 # not after the retrains: what was promoted in the last minutes is left alone

    pull --exchange binance --symbol BTC/USDT --asset BTC-USDT --since 2018-01-01
    pull --exchange binance --symbol ETH/USDT --asset ETH-USDT --since 2018-01-01

    retrain --asset BTC-USDT --models combination
    retrain --asset ETH-USDT --models combination
done
