package io.daosmesh.itests.mesh.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.itests.mesh.LocalMesh;
import io.daosmesh.itests.mesh.chaos.Ledger.ContainerEntry;
import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import io.daosmesh.itests.mesh.chaos.Ledger.Settings;
import io.daosmesh.itests.mesh.torture.Journal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

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
    void settle(List<List<String>> away) {
        try {
            double tookS = LocalMesh.await("all is whole", SETTLED_MAX, () -> isSettled(away), this::unsettled);
            journal.say("settled after %.1f s", tookS);
        } catch (IllegalStateException e) {
            journal.violation("%s", String.valueOf(e.getMessage()));
        }
    }

    private boolean isSettled(List<List<String>> away) {
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

    private void callBack(List<JsonNode> members, List<JsonNode> pools, List<List<String>> away) {
        for (JsonNode m : members) {
            String rank = "--ranks=" + m.path("rank").asInt();
            String state = m.path("state").asText();
            if (state.equals("adminexcluded")) mesh.dmg("system", "clear-exclude", rank);
            if (state.equals("stopped") || state.equals("errored") || state.equals("ready"))
                mesh.dmg("system", "start", rank);
        }
        away.forEach(line -> mesh.dmg(line.toArray(String[]::new)));
        mesh.dmg("system", "rebuild", "start");
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
            if (pool.fate.mustBe() && !isListed) journal.violation("pool %s is not there", pool.label);
            if (!pool.fate.mayBe() && isListed) journal.violation("pool %s is still there", pool.label);
            if (entry == null) continue;
            JsonNode state = entry.path("state");
            if (!state.asText().equals("Ready")) journal.violation("pool %s stays %s", pool.label, state);
            else checkPool(pool);
        }
        checkSystem();
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
                        screen.look("storage", "query", "list-pools").path("hosts"))
                    for (JsonNode p : host.path("pools"))
                        if (!pools.contains(p.path("uuid").asText())) strange.add(p.toString());
                return strange.isEmpty();
            });
        } catch (IllegalStateException e) {
            journal.violation("shards of pools that are not there: %s", strange);
        }
    }

    private void checkPool(PoolEntry pool) {
        Set<String> containers;
        try {
            containers = screen.containers(pool.label);
        } catch (IllegalStateException e) {
            journal.violation("containers of %s cannot be listed: %s", pool.label, String.valueOf(e.getMessage()));
            return;
        }
        for (ContainerEntry c : pool.containers.values()) {
            boolean isListed = containers.contains(c.label);
            String where = pool.label + "/" + c.label;
            if (c.fate.mustBe() && !isListed) journal.violation("container %s is gone", where);
            if (!c.fate.mayBe() && isListed) journal.violation("container %s is there", where);
            if (isListed) checkContainer(pool, c, where);
        }
        checkSettings(pool.label, pool.properties, named(screen.look("pool", "get-prop", pool.label)));
        checkSettings(pool.label, pool.acl, users(screen.look("pool", "get-acl", pool.label)));
    }

    private void checkContainer(PoolEntry pool, ContainerEntry c, String where) {
        c.values.forEach((key, fate) -> checkValue(pool, c, key, fate));
        JsonNode acl = daosJson("container", "get-acl", pool.label, c.label);
        checkSettings(where, c.acl, users(acl));
        String group = acl.path("owner_group").asText();
        if (!c.group.mayBe(group)) journal.violation("%s belongs to %s, not %s", where, group, c.group);
        checkSettings(where, c.properties, named(daosJson("container", "get-prop", pool.label, c.label)));
    }

    private JsonNode daosJson(String... line) {
        List<String> all = new ArrayList<>(List.of("-j"));
        all.addAll(List.of(line));
        return LocalMesh.json(mesh.daos(all.toArray(String[]::new)).orFail().out())
                .path("response");
    }

    /** Of {@code get-prop} and {@code get-attr}. */
    private static Map<String, String> named(JsonNode list) {
        Map<String, String> found = new HashMap<>();
        list.forEach(a -> found.put(a.path("name").asText(), a.path("value").asText()));
        return found;
    }

    /** Rights by user, as of {@code A::USER@:RIGHTS}. */
    private static Map<String, String> users(JsonNode acl) {
        Map<String, String> found = new HashMap<>();
        for (JsonNode entry : acl.path("entries")) {
            String[] parts = entry.asText().split(":");
            found.put(parts[2].replace("@", ""), parts[3]);
        }
        return found;
    }

    private void checkSettings(String where, Settings settings, Map<String, String> found) {
        settings.all().forEach((key, may) -> {
            String value = found.getOrDefault(key, "");
            if (!may.mayBe(value)) journal.violation("%s of %s is '%s', not %s", key, where, value, may);
        });
    }

    private void checkValue(PoolEntry pool, ContainerEntry c, String key, Fate fate) {
        long beganMs = journal.nowMs();
        LocalMesh.Outcome got = mesh.daos("kv", "get", pool.label, c.label, key);
        boolean isAbsent = got.status() != 0 && got.err().contains("DER_NONEXIST");
        String where = pool.label + "/" + c.label + "/" + key;
        if (got.status() == 0 && !fate.mayBe()) journal.violation("%s is there, though it was removed", where);
        else if (got.status() == 0 && !got.out().equals(ContainerOperations.value(pool.label, c.label, key)))
            journal.violation("%s is wrong", where);
        else if (isAbsent && fate.mustBe()) journal.violation("%s is absent", where);
        else if (got.status() != 0 && !isAbsent)
            journal.violation("%s cannot be read: %s", where, got.err().strip());
        else journal.done("read at the end", journal.nowMs() - beganMs);
    }

    private void checkSystem() {
        checkSettings("the system", ledger.attributes, named(screen.look("system", "get-attr")));
        checkSettings("the system", ledger.properties, named(screen.look("system", "get-prop")));
    }
}
