#!/usr/bin/env bash
# Takes the pictures of docs/ anew, as the tests of the live page see it in a browser.
# shellcheck source=scripts/prelude.sh
. "$(dirname "${BASH_SOURCE[0]}")/prelude.sh"

PICTURES=$(mktemp -d)
export VB_PICTURES=$PICTURES
trap 'rm -rf "$PICTURES"' EXIT

"$ROOT/scripts/test.sh" --test live_page -- access::no_page_has_a_barrier
mkdir -p "$ROOT/docs/images"
for picture in overview job job-phone coverage errors providers-dark; do
    cp "$PICTURES/$picture.png" "$ROOT/docs/images/$picture.png"
    detail "docs/images/$picture.png"
done
