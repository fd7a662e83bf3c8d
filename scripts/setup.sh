# Sourced by the other scripts: finds Python, keeps .venv installed. Needs ROOT, the repository's folder.

VENV=$ROOT/.venv
PYTHON_IN_VENV=$VENV/bin/python

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo "error: Millstream needs Python 3.11 or later with the venv module, and none of ${PYTHON:-}" \
        "python3, python3.11 to python3.14 and python is one." >&2
    echo "Install one (on Debian and Ubuntu: apt install python3 python3-venv), or name it: PYTHON=/path/to/python $0" >&2
    return 1
}

# set_up EXTRAS: makes .venv, and installs again only when the metadata, the extras or the clone's place have changed.
set_up() {
    stamp=$VENV/.installed-$(echo "$1" | tr ',' '-')
    sum=$( (cat "$ROOT/setup.cfg" "$ROOT/pyproject.toml"; echo "$1 $ROOT") | cksum)
    if [ -x "$PYTHON_IN_VENV" ] && [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$sum" ]; then
        return
    fi
    if ! "$PYTHON_IN_VENV" -c 'import pip' >/dev/null 2>&1; then
        python=$(find_python) || return 1
        echo "making $VENV with $("$python" --version)"
        "$python" -m venv --clear "$VENV" || return 1
    fi
    echo "installing millstream[$1] into $VENV"
    # setuptools warns of every editable install whose folders lie beside setup.cfg; errors still show.
    PYTHONWARNINGS=ignore "$PYTHON_IN_VENV" -m pip install --quiet --disable-pip-version-check --editable "$ROOT[$1]" || return 1
    echo "$sum" >"$stamp"
}
