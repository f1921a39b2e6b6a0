# What dmg, daos, daos_agent and daos-certs share. They read this file with LIB set, this folder, and call `run NAME CLASS JARS ARGS`, where JARS
# are colon-separated names of jars in LIB.

refuse() { echo "ERROR: $NAME: $1" >&2; exit 1; }

find_java() {
  JAVA=java
  if [ -n "${JAVA_HOME:-}" ]; then JAVA=$JAVA_HOME/bin/java; fi
  # the program itself: what a link stands for may change
  JAVA=$(command -v "$JAVA" 2>/dev/null) && JAVA=$(readlink -f -- "$JAVA") || refuse "no Java found: install JDK 17 or set JAVA_HOME"
}

# Sets CLASSPATH_OF_TOOL and NEWEST, the jar that is replaced with each release.
find_jars() { # NAMES
  CLASSPATH_OF_TOOL= NEWEST=$LIB/daos-mesh-tools.jar
  old_ifs=$IFS; IFS=:
  for jar in $1; do
    [ -r "$LIB/daos-mesh-$jar.jar" ] || refuse "$LIB/daos-mesh-$jar.jar is missing or cannot be read: unpack the whole archive again"
    CLASSPATH_OF_TOOL=$CLASSPATH_OF_TOOL${CLASSPATH_OF_TOOL:+:}$LIB/daos-mesh-$jar.jar
  done
  IFS=$old_ifs
}

# The JVM keeps the classes of a user's first call: later ones take half the time. Sets ARCHIVE to the file, for this very Java; what
# does not fit is ignored by the JVM. False without a folder to keep it in that is this user's alone: who writes the file runs here.
# What DAOS_TOOLS_CACHE names is taken as it is, like the jars.
find_archive() {
  old_ifs=$IFS; set -f; IFS=/
  # shellcheck disable=SC2086
  set -- $JAVA
  IFS=-; ARCHIVE=$NAME$*.jsa
  IFS=$old_ifs; set +f
  if [ -n "${DAOS_TOOLS_CACHE:-}" ]; then ARCHIVE=$DAOS_TOOLS_CACHE/$ARCHIVE; return; fi
  home=${XDG_CACHE_HOME:-${HOME:-}}
  case $home in /*) ;; *) return 1 ;; esac
  # a sudo that keeps HOME: it is another's, who may make anything of it
  [ -d "$home" ] && [ -O "$home" ] || return 1
  cache=${XDG_CACHE_HOME:-$home/.cache}/daos-mesh
  [ -d "$cache" ] || (umask 077 && mkdir -p "$cache") 2>/dev/null || return 1
  [ ! -L "$cache" ] && [ -O "$cache" ] && [ ! -k "$cache" ] && [ -w "$cache" ] || return 1
  cache=$(cd -P "$cache" && pwd -P) || return 1
  ARCHIVE=$cache/$ARCHIVE
  is_alone
}

# Nobody but this user and root can write to the folder or the file, or put something else in their place or in that of a folder
# above; in a sticky one nobody moves what is another's.
is_alone() {
  set -- "$cache"
  if [ -e "$ARCHIVE" ] || [ -L "$ARCHIVE" ]; then
    [ -f "$ARCHIVE" ] && [ ! -L "$ARCHIVE" ] && [ -O "$ARCHIVE" ] || return 1
    set -- "$@" "$ARCHIVE"
  fi
  above=${cache%/*}
  while [ -n "$above" ]; do
    set -- "$@" "$above"
    above=${above%/*}
  done
  [ -z "$(find "$@" / -prune \( ! -user 0 ! -user "$(id -u)" -o \( -perm -020 -o -perm -002 \) ! \( -type d -perm -1000 \) \) 2>&1)" ]
}

run() { # NAME CLASS JARS ARGS...
  NAME=$1 class=$2
  find_java
  find_jars "$3"
  shift 3
  LC_ALL=${LC_ALL:-C.UTF-8}
  export LC_ALL
  # C1 only, and only for what is hot; copies of bulk data want the optimising compiler
  jit="-XX:TieredStopAtLevel=1 -XX:Tier3InvocationThreshold=2000 -XX:Tier3MinInvocationThreshold=1000 -XX:Tier3CompileThreshold=6000"
  case " $* " in *' copy '*|*' cp '*) jit= ;; esac
  # one that serves: a service manager starts it again
  if [ "$NAME" = daos_agent ]; then jit=-XX:+ExitOnOutOfMemoryError; fi
  use=-Xshare:auto
  # certificates are made once in a while, and an agent starts with its machine
  if [ "$NAME" != daos-certs ] && [ "$NAME" != daos_agent ] && find_archive; then
    if [ "$ARCHIVE" -nt "$NEWEST" ]; then
      use=-XX:SharedArchiveFile=$ARCHIVE
    else
      # one that connects nowhere would leave most of them out
      case " $* " in *' version '*|*' help '*|*' --help '*|*' -h '*|'  ') ;; *) use=-XX:ArchiveClassesAtExit=$ARCHIVE.$$ ;; esac
    fi
  fi
  # shellcheck disable=SC2086
  set -- -XX:+UseSerialGC -XX:-UsePerfData -Xmx256m -Xlog:disable -Xlog:all=off "$use" ${DAOS_TOOLS_JVM:-} -cp "$CLASSPATH_OF_TOOL" "$class" "$@"
  # shellcheck disable=SC2086
  case $use in *ArchiveClassesAtExit*) ;; *) exec "$JAVA" $jit "$@" ;; esac
  # shellcheck disable=SC2086
  "$JAVA" $jit "$@"
  status=$?
  # one that failed has not used them all
  if [ "$status" = 0 ]; then mv -f "$ARCHIVE.$$" "$ARCHIVE"; else rm -f "$ARCHIVE.$$"; fi 2>/dev/null
  exit "$status"
}
