#!/usr/bin/env bash
# The quick check before review: format, lints and tests of the crates that differ from a commit.
# usage: .ci/check.sh [COMMIT]      (default: the last commit)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
against="${1:-HEAD}"

changed_files() {
    if git rev-parse --quiet --verify "$against^{commit}" >/dev/null; then
        git diff --name-only "$against"
    else
        git ls-files
    fi
    git ls-files --others --exclude-standard
}

# The package a path belongs to; nothing for documents, "workspace" for what every crate depends on.
package_of() {
    case "$1" in
        Cargo.toml | Cargo.lock | clippy.toml | rustfmt.toml | .cargo/*) echo workspace ;;
        cli/* | tests/* | benches/*) echo bonafide ;;
        models/*) echo detector ;;
        detector/* | evaluation/* | fixtures/* | media/* | provenance/* | server/* | verdict/* | xtask/*) echo "${1%%/*}" ;;
    esac
}

mapfile -t packages < <(changed_files | while IFS= read -r path; do package_of "$path"; done | sort -u)
if [[ ${#packages[@]} -eq 0 ]]; then
    echo "no crate differs from $against; nothing to check"
    exit 0
fi
select=()
for package in "${packages[@]}"; do
    if [[ "$package" == workspace ]]; then
        select=(--workspace)
        break
    fi
    select+=(--package "$package")
done

echo "==> checking ${select[*]}"
cargo fmt --all --check
cargo lint "${select[@]}" -- --deny warnings
library="$(cargo xtask setup)"
ORT_DYLIB_PATH="$library" cargo t "${select[@]}"
