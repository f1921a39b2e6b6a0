package io.daosmesh.itests.mesh.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.torture.Journal;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Commands of an administrator and what they answer; each is counted. Any thread. */
final class Screen {
    private static final Pattern CODE = Pattern.compile("DER_[A-Z0-9]+");

    private final LocalMesh mesh;
    private final Journal journal;

    Screen(LocalMesh mesh, Journal journal) {
        this.mesh = mesh;
        this.journal = journal;
    }

    LocalMesh mesh() {
        return mesh;
    }

    Journal journal() {
        return journal;
    }

    /** True when it was acknowledged. */
    boolean dmg(String kind, String... line) {
        long beganMs = journal.nowMs();
        return isDone(kind, beganMs, mesh.dmg(line));
    }

    boolean daos(String kind, String... line) {
        long beganMs = journal.nowMs();
        return isDone(kind, beganMs, mesh.daos(line));
    }

    private boolean isDone(String kind, long beganMs, LocalMesh.Outcome outcome) {
        String said = (outcome.err() + outcome.out()).strip();
        if (outcome.status() == 0) {
            journal.done(kind, journal.nowMs() - beganMs);
            return true;
        }
        Matcher code = CODE.matcher(said);
        journal.failed(
                kind,
                code.find() ? code.group() : "status " + outcome.status(),
                said.lines().findFirst().orElse("said nothing"));
        if (said.contains("\tat ") || said.contains("Exception"))
            journal.violation(
                    "%s answers with a stack trace: %s",
                    kind, said.lines().findFirst().orElse(""));
        return false;
    }

    /** Pools as they are listed; throws while nobody answers. */
    List<JsonNode> pools() {
        List<JsonNode> pools = new ArrayList<>();
        mesh.dmgJson("pool", "list").path("pools").forEach(pools::add);
        return pools;
    }

    List<JsonNode> members() {
        List<JsonNode> members = new ArrayList<>();
        mesh.dmgJson("system", "query").path("members").forEach(members::add);
        return members;
    }

    /** Of all targets, nothing moves and none is out. */
    static boolean isWhole(JsonNode pool) {
        JsonNode query = pool.path("query");
        return pool.path("state").asText().equals("Ready")
                && query.path("disabled_targets").asInt(-1) == 0
                && !query.path("rebuild").path("state").asText().equals("busy");
    }
}
