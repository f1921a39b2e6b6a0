package io.daosmesh.itests.mesh.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.chaos.Ledger.ContainerEntry;
import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import io.daosmesh.itests.mesh.torture.Journal;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Brings everything back, waits until the system has settled, and looks whether anything is half done. Owner: its thread. */
final class Verdict {
    private static final Duration SETTLED_MAX = Duration.ofSeconds(240);
    private static final Duration CLEAN_MAX = Duration.ofSeconds(90);
    private static final long CALL_AGAIN_MS = 15_000;

    private final Screen screen;
    private final LocalMesh mesh;
    private final Journal journal;
    private final Ledger ledger;
    private long calledMs = Long.MIN_VALUE / 2;

    Verdict(Screen screen, Ledger ledger) {
        this.screen = screen;
        this.mesh = screen.mesh();
        this.journal = screen.journal();
        this.ledger = ledger;
    }

    /** @param away what was put away last and not brought back */
    void settle(Operations.@Nullable Away away) {
        try {
            double tookS = LocalMesh.await("all is whole", SETTLED_MAX, () -> isSettled(away), this::unsettled);
            journal.say("settled after %.1f s", tookS);
        } catch (IllegalStateException e) {
            journal.violation("%s", String.valueOf(e.getMessage()));
        }
    }

    private boolean isSettled(Operations.@Nullable Away away) {
        List<JsonNode> members = screen.members();
        List<JsonNode> pools = screen.pools();
        boolean areJoined =
                members.stream().allMatch(m -> m.path("state").asText().equals("joined"));
        if (areJoined && pools.stream().allMatch(Screen::isWhole)) return true;
        if (journal.nowMs() - calledMs > CALL_AGAIN_MS) {
            calledMs = journal.nowMs();
            callBack(members, pools, away);
        }
        return false;
    }

    private void callBack(List<JsonNode> members, List<JsonNode> pools, Operations.@Nullable Away away) {
        for (JsonNode m : members) {
            String rank = "--ranks=" + m.path("rank").asInt();
            String state = m.path("state").asText();
            if (state.equals("adminexcluded")) mesh.dmg("system", "clear-exclude", rank);
            if (state.equals("stopped") || state.equals("errored") || state.equals("ready"))
                mesh.dmg("system", "start", rank);
        }
        if (away != null) mesh.dmg(away.back().toArray(String[]::new));
        for (JsonNode p : pools) {
            if (p.path("query").path("rebuild").path("state").asText().equals("busy")) continue;
            for (JsonNode rank : p.path("query").path("disabled_ranks"))
                mesh.dmg("pool", "reintegrate", p.path("label").asText(), "--ranks=" + rank.asInt());
        }
    }

    private String unsettled() {
        StringBuilder what = new StringBuilder();
        try {
            for (JsonNode m : screen.members())
                if (!m.path("state").asText().equals("joined"))
                    what.append("; rank ").append(m.path("rank")).append(" is ").append(m.path("state"));
            for (JsonNode p : screen.pools())
                if (!Screen.isWhole(p)) what.append("; pool ").append(p);
        } catch (IllegalStateException e) {
            what.append("; ").append(e.getMessage());
        }
        return what.toString();
    }

    void check() {
        Map<String, JsonNode> listed = new HashMap<>();
        screen.pools().forEach(p -> listed.put(p.path("label").asText(), p));
        checkShards();
        for (PoolEntry pool : ledger.pools()) {
            JsonNode entry = listed.get(pool.label);
            boolean isListed = entry != null;
            if (pool.fate == Fate.THERE && !isListed) journal.violation("pool %s is not there", pool.label);
            if (pool.fate == Fate.GONE && isListed) journal.violation("pool %s is still there", pool.label);
            if (entry == null) continue;
            JsonNode state = entry.path("state");
            if (!state.asText().equals("Ready")) journal.violation("pool %s stays %s", pool.label, state);
            else checkPool(pool);
        }
        checkAttributes();
    }

    /** A target that was away learns late that a pool is gone. */
    private void checkShards() {
        Set<String> strange = new HashSet<>();
        try {
            LocalMesh.await("only listed pools have shards", CLEAN_MAX, () -> {
                Set<String> pools = screen.pools().stream()
                        .map(p -> p.path("uuid").asText())
                        .collect(Collectors.toSet());
                strange.clear();
                for (JsonNode host :
                        mesh.dmgJson("storage", "query", "list-pools").path("hosts"))
                    for (JsonNode p : host.path("pools"))
                        if (!pools.contains(p.path("uuid").asText())) strange.add(p.toString());
                return strange.isEmpty();
            });
        } catch (IllegalStateException e) {
            journal.violation("shards of pools that are not there: %s", strange);
        }
    }

    private void checkPool(PoolEntry pool) {
        Set<String> containers = new HashSet<>();
        LocalMesh.Outcome list = mesh.daos("-j", "container", "list", pool.label);
        if (list.status() != 0) {
            journal.violation(
                    "containers of %s cannot be listed: %s",
                    pool.label, list.err().strip());
            return;
        }
        LocalMesh.json(list.out())
                .path("response")
                .findValuesAsText("container_label")
                .forEach(containers::add);
        for (ContainerEntry c : pool.containers.values()) {
            boolean isListed = containers.contains(c.label);
            if (c.fate == Fate.THERE && !isListed) journal.violation("container %s/%s is gone", pool.label, c.label);
            if (c.fate == Fate.GONE && isListed) journal.violation("container %s/%s is there", pool.label, c.label);
            if (isListed) c.values.forEach((key, isAcknowledged) -> checkValue(pool, c, key, isAcknowledged));
        }
        Set<String> may = pool.properties.get("space_rb");
        if (may == null) return;
        String found = mesh.dmgJson("pool", "get-prop", pool.label, "space_rb")
                .findPath("value")
                .asText();
        if (!Ledger.mayBe(may, found.replace("%", "")))
            journal.violation("space_rb of %s is %s, not one of %s", pool.label, found, may);
    }

    private void checkValue(PoolEntry pool, ContainerEntry c, String key, boolean isAcknowledged) {
        long beganMs = journal.nowMs();
        LocalMesh.Outcome got = mesh.daos("kv", "get", pool.label, c.label, key);
        boolean isAbsent = got.status() != 0 && got.err().contains("DER_NONEXIST");
        String where = pool.label + "/" + c.label + "/" + key;
        if (got.status() == 0 && !got.out().equals(Operations.value(pool.label, c.label, key)))
            journal.violation("%s is wrong", where);
        else if (isAbsent && isAcknowledged) journal.violation("%s is absent", where);
        else if (got.status() != 0 && !isAbsent)
            journal.violation("%s cannot be read: %s", where, got.err().strip());
        else journal.done("read at the end", journal.nowMs() - beganMs);
    }

    private void checkAttributes() {
        if (ledger.attributes().isEmpty()) return;
        Map<String, String> found = new HashMap<>();
        mesh.dmgJson("system", "get-attr")
                .forEach(a -> found.put(a.path("name").asText(), a.path("value").asText()));
        ledger.attributes().forEach((key, may) -> {
            String value = found.getOrDefault(key, "");
            if (!Ledger.mayBe(may, value)) journal.violation("attribute %s is '%s', not one of %s", key, value, may);
        });
    }
}
