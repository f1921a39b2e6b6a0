package io.daosmesh.itests.mesh.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.cli.dmg.Dmg;
import io.daosmesh.cli.dmg.DmgRoot;
import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.torture.Journal;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Commands of an administrator and what they answer; each is counted. Some are killed before they answer. Owner: the thread of the operations. */
final class Screen {
    private static final Pattern CODE = Pattern.compile("DER_([A-Z0-9_]+)");
    /** One command in so many is killed. */
    private static final int KILLED_ONE_IN = 15;

    private static final int KILLED_AFTER_MS_MAX = 2_500;

    /** After these nobody knows whether it was done, or will be. */
    private static final Set<String> UNKNOWN = Set.of(
            "TIMEDOUT",
            "UNREACH",
            "HG",
            "NO_SERVICE",
            "AGENT_COMM",
            "UNREG",
            "UNINIT",
            "AGAIN",
            "BUSY",
            "INPROGRESS",
            "NOTLEADER",
            "NOTREPLICA",
            "OOG",
            "GRPVER",
            "EXCLUDED",
            "STALE",
            "MISC",
            "CANCELED",
            "IO",
            "CSUM",
            "NVME_IO",
            "DATA_LOSS",
            "killed");

    /** Refusals that depend on what else happens in the system at the time; all others have to be expected. */
    private static final Set<String> OF_THE_MOMENT = Set.of("RF", "TGT_CREATE", "NOSPACE", "ALREADY", "OP_CANCELED");

    private final LocalMesh mesh;
    private final Journal journal;
    private final SplittableRandom random;
    private final Map<String, EnumMap<Answer, Integer>> counts = new TreeMap<>();
    private @Nullable Boolean isWholeSeen;

    /** What became of a command. */
    enum Answer {
        DONE,
        /** Nothing has been done, and nothing will be. */
        REFUSED,
        UNKNOWN
    }

    Screen(LocalMesh mesh, Journal journal, SplittableRandom random) {
        this.mesh = mesh;
        this.journal = journal;
        this.random = random;
    }

    LocalMesh mesh() {
        return mesh;
    }

    Journal journal() {
        return journal;
    }

    /** One that is right as far as anybody knows. */
    Answer dmg(String kind, String... line) {
        return run(kind, Set.of(), "dmg", line);
    }

    /** @param may refusals that are right as well, without DER_ */
    Answer dmg(String kind, Set<String> may, String... line) {
        return run(kind, may, "dmg", line);
    }

    Answer daos(String kind, String... line) {
        return run(kind, Set.of(), "daos", line);
    }

    /** @param may refusals that are right as well, without DER_ */
    Answer daos(String kind, Set<String> may, String... line) {
        return run(kind, may, "daos", line);
    }

    /** A mistake, which has to be refused like that. */
    boolean refused(String kind, String code, String tool, String... line) {
        Answer answer = run(kind, Set.of(code), tool, line);
        if (answer == Answer.DONE) journal.violation("%s is not refused: %s", kind, String.join(" ", line));
        return true;
    }

    private Answer run(String kind, Set<String> may, String tool, String... line) {
        long beganMs = journal.nowMs();
        boolean isKilled = random.nextInt(KILLED_ONE_IN) == 0;
        LocalMesh.Outcome outcome =
                isKilled ? mesh.killed(random.nextInt(KILLED_AFTER_MS_MAX), tool, line) : mesh.mesh(tool, line);
        Answer answer = judged(kind, may, outcome, isKilled, String.join(" ", line));
        if (answer == Answer.DONE) journal.done(kind, journal.nowMs() - beganMs);
        counts.computeIfAbsent(kind, k -> new EnumMap<>(Answer.class)).merge(answer, 1, Integer::sum);
        return answer;
    }

    Answer judged(String kind, Set<String> may, LocalMesh.Outcome outcome, boolean isKilled, String line) {
        if (outcome.status() == 0) return Answer.DONE;
        String said = (outcome.err() + outcome.out()).strip();
        String first = said.lines().findFirst().orElse("said nothing");
        if (said.contains("\tat ") || said.contains("Exception"))
            journal.violation("%s answers with a stack trace: %s", line, first);
        Matcher found = CODE.matcher(said);
        String code = found.find() ? found.group(1) : isKilled ? "killed" : "none";
        journal.failed(kind, code, first);
        if (UNKNOWN.contains(code)) return Answer.UNKNOWN;
        if (!may.contains(code) && !OF_THE_MOMENT.contains(code))
            journal.violation("%s is refused, which nothing known explains: %s", line, first);
        return Answer.REFUSED;
    }

    /** How often each kind was tried, and with which end. */
    String table(Set<String> kinds) {
        Set<String> all = new TreeSet<>(kinds);
        all.addAll(counts.keySet());
        StringBuilder b = new StringBuilder(String.format(
                Locale.ROOT, "  %-24s %6s %7s %7s %7s", "operation", "tried", "done", "refused", "unknown"));
        for (String kind : all) {
            EnumMap<Answer, Integer> of = counts.getOrDefault(kind, new EnumMap<>(Answer.class));
            int tried = of.values().stream().mapToInt(i -> i).sum();
            b.append(String.format(Locale.ROOT, "%n  %-24s %6d", kind, tried));
            for (Answer a : Answer.values()) b.append(String.format(Locale.ROOT, " %7d", of.getOrDefault(a, 0)));
        }
        return b.toString();
    }

    /** Of {@code dmg -j} within this process: a look needs no start of a program. IllegalStateException while nobody answers. */
    JsonNode look(String... words) {
        List<String> line = new ArrayList<>(
                List.of("-o", mesh.dir().resolve("daos_control.yml").toString(), "-j"));
        line.addAll(List.of(words));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Dmg.run(new DmgRoot(stream(out), stream(err)), line.toArray(String[]::new));
        if (status != 0) throw new IllegalStateException(out.toString(UTF_8) + err.toString(UTF_8));
        return LocalMesh.json(out.toString(UTF_8)).path("response");
    }

    private static PrintStream stream(ByteArrayOutputStream to) {
        return new PrintStream(to, true, UTF_8);
    }

    private static List<JsonNode> list(JsonNode array) {
        List<JsonNode> items = new ArrayList<>();
        array.forEach(items::add);
        return items;
    }

    /** Pools as they are listed; throws while nobody answers. */
    List<JsonNode> pools() {
        return list(look("pool", "list").path("pools"));
    }

    /** Labels of the containers of a pool; throws while nobody answers. */
    Set<String> containers(String pool) {
        String list = mesh.daos("-j", "container", "list", pool).orFail().out();
        return Set.copyOf(LocalMesh.json(list).path("response").findValuesAsText("container_label"));
    }

    List<JsonNode> members() {
        return list(look("system", "query").path("members"));
    }

    List<JsonNode> devices() {
        List<JsonNode> devices = new ArrayList<>();
        for (JsonNode host : look("storage", "query", "list-devices").path("hosts"))
            host.path("devices").forEach(devices::add);
        return devices;
    }

    /** What was seen of the system may be old. */
    void lookAgain() {
        isWholeSeen = null;
    }

    /** As it was at the first look since {@link #lookAgain}. */
    boolean areWhole() {
        Boolean seen = isWholeSeen;
        if (seen == null) isWholeSeen = seen = areWholeNow();
        return seen;
    }

    private boolean areWholeNow() {
        try {
            boolean areJoined =
                    members().stream().allMatch(m -> m.path("state").asText().equals("joined"));
            return areJoined && pools().stream().allMatch(Screen::isWhole);
        } catch (IllegalStateException e) {
            return false;
        }
    }

    /** Of all targets, nothing moves, has stopped moving or is out. */
    static boolean isWhole(JsonNode pool) {
        JsonNode query = pool.path("query");
        JsonNode rebuild = query.path("rebuild");
        return pool.path("state").asText().equals("Ready")
                && query.path("disabled_targets").asInt(-1) == 0
                && rebuild.path("status").asInt(-1) == 0
                && !rebuild.path("state").asText().equals("busy");
    }
}
