#!/bin/sh
# Installs the packages in a Debian of its own, starts a node and an agent as their units say, stores something, replaces the packages
# by those of a newer release, finds what was stored, and removes them. Run it in namespaces of its own for mounts, network and processes; the
# machine's /usr, /etc and package database are seen through layers that are thrown away.
#   lifecycle.sh FOLDER-OF-PACKAGES WORK
# The new root is a plain folder and no mount point on purpose. Exit status 0: all went as it should; 77: cannot be done here, see the last line.
set -eu
DEBS=$1 WORK=$2
ROOT=$WORK/root

skip() { echo "SKIP: $1"; exit 77; }
step() { echo "STEP $(date +%s) $*"; }

for program in dpkg dpkg-deb setpriv chroot ip; do command -v "$program" >/dev/null || skip "no $program"; done
[ -f /var/lib/dpkg/status ] || skip "no package database of Debian"
mount --make-rprivate / || skip "mounts cannot be made"

# ---------------------------------------------------------------- packages of a newer release, as `mvn -Ddaosmesh.release=` makes them

RELEASE_FILE=io/daosmesh/model/release/release.txt
JAR=$(command -v "${JAVA_HOME:+$JAVA_HOME/bin/}jar") || skip "no program jar of a JDK"
make_release() { # NUMBER FOLDER : in all jars below that say their release
  echo "$1" > "$WORK/release/$RELEASE_FILE"
  find "$2" -name '*.jar' -type f > "$WORK/jars"
  while read -r jar; do
    "$JAR" tf "$jar" > "$WORK/names"
    if grep -qx "$RELEASE_FILE" "$WORK/names"; then "$JAR" uf "$jar" -C "$WORK/release" "$RELEASE_FILE"; fi
  done < "$WORK/jars"
}

step newer
mkdir -p "$WORK/old" "$WORK/new" "$WORK/edit" "$WORK/release"
dpkg-deb -R "$DEBS/daos-mesh-client.deb" "$WORK/edit/client"
(cd "$WORK/release" && "$JAR" xf "$WORK/edit/client/usr/lib/daos-mesh/lib/daos-mesh/daos-mesh-tools.jar" "$RELEASE_FILE")
rm -rf "${WORK:?}/edit/client"
OLD=$(cat "$WORK/release/$RELEASE_FILE") MINOR=${OLD%.*} PATCH=${OLD##*.}
NEW=$MINOR.$((${PATCH%%-*} + 1))
for name in client agent admin server; do
  dpkg-deb -R "$DEBS/daos-mesh-$name.deb" "$WORK/edit/$name"
  make_release "$NEW" "$WORK/edit/$name"
  old=$(sed -n 's/^Version: //p' "$WORK/edit/$name/DEBIAN/control")
  sed -i "s/^Version: .*/&+newer/; s/(= $old)/(= $old+newer)/" "$WORK/edit/$name/DEBIAN/control"
  cp "$DEBS/daos-mesh-$name.deb" "$WORK/old/"
  dpkg-deb -Znone --root-owner-group -b "$WORK/edit/$name" "$WORK/new/daos-mesh-$name.deb" >/dev/null
  rm -rf "${WORK:?}/edit/$name"
done

# ---------------------------------------------------------------- a root

step root
mkdir -p "$ROOT" "$WORK/layers"
mount -t tmpfs tmpfs "$WORK/layers" || skip "no tmpfs can be mounted"
layer() { # /PATH : as on the machine, and changes to it are lost
  mkdir -p "$ROOT$1" "$WORK/layers$1/up" "$WORK/layers$1/work"
  mount -t overlay overlay -o "lowerdir=$1,upperdir=$WORK/layers$1/up,workdir=$WORK/layers$1/work" "$ROOT$1" || skip "no overlay can be mounted on $1"
}
layer /usr
layer /var/lib/dpkg
for name in bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then cp -P "/$name" "$ROOT/"; elif [ -d "/$name" ]; then layer "/$name"; fi
done
if [ -d /opt ]; then mkdir "$ROOT/opt"; mount --rbind /opt "$ROOT/opt"; fi
cp -a /etc "$ROOT/etc"
# its many links lead out of the folder: nobody else has to look at them
trap 'rm -rf --one-file-system "${ROOT:?}/etc"' EXIT
rm -rf "$ROOT/etc/daos"
sed -i '/^daos_\(server\|agent\):/d' "$ROOT/etc/passwd" "$ROOT/etc/group" "$ROOT/etc/shadow" "$ROOT/etc/gshadow"
mkdir -p "$ROOT/dev" "$ROOT/proc" "$ROOT/run" "$ROOT/tmp" "$ROOT/root" "$ROOT/var/log" "$ROOT/var/cache" "$ROOT/mnt/daos" "$ROOT/packages"
chmod 1777 "$ROOT/tmp"
ln -s ../run "$ROOT/var/run"
mount --rbind /dev "$ROOT/dev"
mount -t proc proc "$ROOT/proc"
mount --bind "$WORK" "$ROOT/packages"
ip link set lo up

inside() { chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DAOS_TOOLS_CACHE=/tmp "$@"; }
fail() { echo "FAILED: $*"; tail -n 40 "$ROOT/tmp/"*.out; grep -E ' (WARN|ERROR) ' "$ROOT/var/log/daos_server/node.log" | cut -c1-300 | tail -n 40; exit 1; } 2>/dev/null
expect() { # WHAT WANTED GOT
  [ "$2" = "$3" ] || fail "$1: '$3' instead of '$2'"
}
FORCE=
inside dpkg-query -W -f '${Status}' openjdk-17-jre-headless 2>/dev/null | grep -q 'ok installed' || FORCE=--force-depends
in_debian() { # old|new
  inside sh -c "DEBIAN_FRONTEND=noninteractive dpkg --no-triggers $FORCE --force-confold -i /packages/$1/*.deb" > "$WORK/dpkg.out" 2>&1 || { cat "$WORK/dpkg.out"; fail "dpkg -i $1"; }
}

# ---------------------------------------------------------------- install

step install
in_debian old
for name in client agent admin server; do
  expect "daos-mesh-$name" "install ok installed" "$(inside dpkg-query -W -f '${Status}' daos-mesh-$name)"
done
expect "changed files" "" "$(inside dpkg --verify daos-mesh-server daos-mesh-client daos-mesh-agent daos-mesh-admin | grep -v ' /etc/daos/console/' || true)"
expect "console's users" "640 root daos_server" "$(inside stat -c '%a %U %G' /etc/daos/console/users.properties)"
for user in daos_server daos_agent; do expect "shell of $user" /usr/sbin/nologin "$(inside getent passwd $user | cut -d: -f7)"; done
for tool in dmg daos daos_agent daos-certs daos_server; do
  inside "$tool" --help > "$WORK/help.out" 2>&1 || { cat "$WORK/help.out"; fail "$tool --help"; }
  inside test -s "/usr/share/bash-completion/completions/$tool" || fail "no completion of $tool"
  inside sh -c "ls /usr/share/man/man[18]/$tool.[18].gz" >/dev/null || fail "no page of $tool"
done
if inside sh -c 'command -v systemd-analyze' >/dev/null; then
  inside systemd-analyze verify --man=no /usr/lib/systemd/system/daos_server.service /usr/lib/systemd/system/daos_agent.service > "$WORK/units.out" 2>&1 \
    || { cat "$WORK/units.out"; fail "units"; }
  expect "units" "" "$(grep daos_ "$WORK/units.out" || true)"
else
  echo "NOTE: no systemd-analyze: the units are not looked at"
fi

# ---------------------------------------------------------------- configure and start, as the units say

step start
inside daos-certs ca --ca-dir /root/CA >/dev/null
inside daos-certs issue server --address 127.0.0.1 --ca-dir /root/CA --dir /etc/daos/certs >/dev/null
inside daos-certs issue agent --ca-dir /root/CA --dir /etc/daos/certs >/dev/null
inside daos-certs issue admin --ca-dir /root/CA --dir /etc/daos/certs >/dev/null
inside chown daos_server:daos_server /etc/daos/certs/server.key
inside chown daos_agent:daos_agent /etc/daos/certs/agent.key
cat > "$ROOT/etc/daos/daos_server.yml" <<'Y'
access_points: [127.0.0.1]
control_metadata: {path: /var/lib/daos_server/control}
engines:
- targets: 2
  storage:
  - {class: file, scm_mount: /mnt/daos/scm0, scm_size: 1}
  - {class: file, bdev_list: [/mnt/daos/ssd0], bdev_size: 1}
Y
printf 'hostlist: [127.0.0.1]\n' > "$ROOT/etc/daos/daos_control.yml"
printf 'access_points: [127.0.0.1]\n' > "$ROOT/etc/daos/daos_agent.yml"
inside chown daos_server:daos_server /mnt/daos

start() { # SERVICE : its command, environment and user come from its unit; sets PID
  unit=$ROOT/usr/lib/systemd/system/$1.service
  for folder in lib log; do inside install -d -o "$1" -g "$1" -m 700 "/var/$folder/$1"; done
  inside install -d -o "$1" -g "$1" -m 755 "/run/$1"
  command=$(sed -n 's/^ExecStart=//p' "$unit")
  variables=$(sed -n 's/^Environment=//p' "$unit")
  user=$(sed -n 's/^User=//p' "$unit")
  # shellcheck disable=SC2086
  chroot "$ROOT" /usr/bin/setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set -all \
    /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 $variables sh -c "umask 077; exec $command" > "$ROOT/tmp/$1.out" 2>&1 &
  PID=$!
}
until_done() { # SECONDS COMMAND... : again and again
  until=$(($(date +%s) + $1)); shift
  until inside timeout 20 "$@" > "$WORK/last.out" 2>&1; do
    [ "$(date +%s)" -lt "$until" ] || { cat "$WORK/last.out"; fail "$* did not succeed in time"; }
    kill -0 "$SERVER" 2>/dev/null || fail "the node has ended"
    sleep 0.5
  done
}
ended() { # PID : within half a minute
  left=300
  while kill -0 "$1" 2>/dev/null; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "process $1 does not end"
    sleep 0.1
  done
  wait "$1" || true
}

start daos_server; SERVER=$PID
start daos_agent; AGENT=$PID
until_done 180 dmg storage scan
expect "user of the node" daos_server "$(inside ps -o user:20= -p $SERVER | tr -d ' ')"

step format
until_done 60 sh -c 'dmg storage format || dmg system query | grep -q Joined'
until_done 60 sh -c 'dmg system query | grep -q Joined'
until_done 60 sh -c 'dmg pool create tank --size 200MB || dmg pool query tank'
until_done 20 test -S /run/daos_agent/daos_agent.sock
# a busy machine may answer too late: what was done already is no failure then
until_done 60 sh -c 'daos container create tank c1 || daos container query tank c1'
until_done 60 daos kv put tank c1 hello /etc/os-release
until_done 60 sh -c 'daos container create tank files --type POSIX || daos container query tank files'
until_done 60 daos filesystem copy --src /etc/os-release --dst daos://tank/files/os-release
until_done 60 sh -c 'daos kv get tank c1 hello > /tmp/stored'
stored=$(inside sh -c 'sha256sum < /tmp/stored')
expect "what is read" "$(inside sha256sum /etc/os-release | cut -d' ' -f1)" "${stored%% *}"

# ---------------------------------------------------------------- update over a stop, in the order of docs/operations.md

releases() { inside dmg -j system query -v | grep -o '"release": *"[^"]*"' | sed 's/.*"\([^"]*\)"$/\1/' | sort -u; }

step update
expect "release of the tools" "dmg version $OLD" "$(inside dmg version)"
expect "release of the node" "$OLD" "$(releases)"
until_done 60 dmg pool evict tank
kill -TERM "$AGENT"; ended "$AGENT"
until_done 60 dmg system stop
kill -TERM "$SERVER"; ended "$SERVER"
cp "$ROOT/var/lib/daos_server/assembly" "$WORK/assembly"
in_debian new
for name in client agent admin server; do
  case $(inside dpkg-query -W -f '${Version}' daos-mesh-$name) in *+newer) ;; *) fail "daos-mesh-$name is not the newer one" ;; esac
done
grep -q 'access_points: \[127.0.0.1\]' "$ROOT/etc/daos/daos_server.yml" || fail "the configuration was replaced"
for tool in dmg daos daos_server daos_agent; do expect "release of $tool" "$tool version $NEW" "$(inside "$tool" version)"; done
start daos_server; SERVER=$PID
until_done 180 sh -c 'dmg system query | grep -q Joined'
! cmp -s "$WORK/assembly" "$ROOT/var/lib/daos_server/assembly" || fail "the node goes on with the cache of the old jars"
expect "release of the node after the update" "$NEW" "$(releases)"
start daos_agent; AGENT=$PID
until_done 20 test -S /run/daos_agent/daos_agent.sock
until_done 60 sh -c 'daos kv get tank c1 hello > /tmp/found'
expect "what is read after the upgrade" "$stored" "$(inside sh -c 'sha256sum < /tmp/found')"
until_done 60 daos filesystem copy --src daos://tank/files/os-release --dst /tmp/file
expect "the file after the upgrade" "$stored" "$(inside sh -c 'sha256sum < /tmp/file')"
until_done 60 dmg pool upgrade tank

step foreign
mkdir -p "$ROOT/tmp/foreign"
cp -aL "$ROOT/usr/lib/daos-mesh/bin" "$ROOT/usr/lib/daos-mesh/lib" "$ROOT/tmp/foreign/"
FOREIGN=${MINOR%.*}.$((${MINOR##*.} + 8)).0
make_release "$FOREIGN" "$ROOT/tmp/foreign/lib/daos-mesh"
expect "release of the foreign tool" "dmg version $FOREIGN" "$(inside /tmp/foreign/bin/dmg version)"
! inside /tmp/foreign/bin/dmg system query > "$WORK/foreign.out" 2>&1 || fail "a tool of release $FOREIGN is let in"
grep -q "server:$NEW and admin:$FOREIGN are incompatible" "$WORK/foreign.out" || { cat "$WORK/foreign.out"; fail "the releases are not named"; }
grep -q "code = 616 resolution" "$WORK/foreign.out" || { cat "$WORK/foreign.out"; fail "no fault 616"; }
! inside /tmp/foreign/bin/daos kv get tank c1 hello > "$WORK/foreign.out" 2>&1 || fail "a client of release $FOREIGN is let in"
grep -q "agent:$NEW and client:$FOREIGN are incompatible" "$WORK/foreign.out" || { cat "$WORK/foreign.out"; fail "the agent does not name the releases"; }
expect "what the node wrote below /usr" "" "$(find "$WORK/layers/usr/up" -newer "$WORK/dpkg.out" -type f -uid "$(inside id -u daos_server)")"

# ---------------------------------------------------------------- remove

step remove
kill -TERM "$AGENT"; ended "$AGENT"
kill -TERM "$SERVER"; ended "$SERVER"
inside dpkg --no-triggers -r daos-mesh-server daos-mesh-agent daos-mesh-admin daos-mesh-client > "$WORK/dpkg.out" 2>&1 || { cat "$WORK/dpkg.out"; fail "dpkg -r"; }
expect "what is left below /usr" "" "$(find "$ROOT/usr" -path '*daos*' ! -type d ! -path "*/share/doc/*")"
[ -f "$ROOT/etc/daos/daos_server.yml" ] || fail "removing took the configuration along"
inside dpkg --no-triggers -P daos-mesh-server daos-mesh-agent daos-mesh-admin daos-mesh-client > "$WORK/dpkg.out" 2>&1 || { cat "$WORK/dpkg.out"; fail "dpkg -P"; }
[ ! -e "$ROOT/etc/daos/daos_server.yml" ] || fail "purging left the configuration"
[ -d "$ROOT/var/lib/daos_server/control" ] || fail "purging took the data along"
step done
