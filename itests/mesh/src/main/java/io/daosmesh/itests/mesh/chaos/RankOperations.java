package io.daosmesh.itests.mesh.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import io.daosmesh.itests.mesh.chaos.Screen.Answer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Ranks and devices that are put away and brought back. At most one at a time, and only from whole pools: with one more in trouble a
 * third copy is left. Owner: the thread of the operations.
 */
final class RankOperations {
    /** Refusals of a command about a rank that the faults of the run have moved meanwhile. */
    private static final Set<String> MOVED = Set.of("INVAL", "NONEXIST", "EXIST");

    /** Of a command about a device, which is there all the time. */
    private static final Set<String> CHANGED = Set.of("INVAL", "EXIST");

    private static final String REPLACE = "storage replace nvme";

    private final Screen screen;
    private final Draw draw;
    private final int rankCount;
    private @Nullable Away away;

    /**
     * What was put away.
     *
     * @param kind of the commands that bring it back
     */
    private record Away(String kind, List<List<String>> back) {}

    RankOperations(Screen screen, Draw draw, int rankCount) {
        this.screen = screen;
        this.draw = draw;
        this.rankCount = rankCount;
    }

    /** Kinds that need a whole system. */
    Map<String, BooleanSupplier> putAway() {
        Map<String, BooleanSupplier> kinds = new LinkedHashMap<>();
        kinds.put("pool exclude", () -> ofPool("exclude"));
        kinds.put("pool drain", () -> ofPool("drain"));
        kinds.put("system stop", () -> ofSystem("stop", "start"));
        kinds.put("system exclude", () -> ofSystem("exclude", "clear-exclude"));
        kinds.put("system drain", () -> ofSystem("drain", "reintegrate"));
        kinds.put("storage set nvme-faulty", this::deviceFaulty);
        kinds.put("system set-prop self_heal", this::healLess);
        return kinds;
    }

    /** Those, and what brings back. */
    Map<String, BooleanSupplier> kinds() {
        Map<String, BooleanSupplier> kinds = putAway();
        for (String back : List.of(
                "pool reintegrate",
                "system start",
                "system clear-exclude",
                "system reintegrate",
                REPLACE,
                "system self-heal eval")) kinds.put(back, () -> back(back));
        return kinds;
    }

    boolean isAway() {
        return away != null;
    }

    List<List<String>> away() {
        Away now = away;
        return now == null ? List.of() : now.back();
    }

    private boolean mayPutAway() {
        return away == null && screen.areWhole();
    }

    private boolean ofPool(String how) {
        if (!mayPutAway()) return false;
        PoolEntry pool = draw.pool();
        String rank = "--ranks=" + draw.of(List.copyOf(pool.ranks));
        away = new Away("pool reintegrate", List.of(List.of("pool", "reintegrate", pool.label, rank)));
        return PoolOperations.tried(screen.dmg("pool " + how, MOVED, "pool", how, pool.label, rank));
    }

    private boolean ofSystem(String how, String back) {
        if (!mayPutAway()) return false;
        String rank = "--ranks=" + draw.below(rankCount);
        away = new Away("system " + back, List.of(List.of("system", back, rank)));
        return PoolOperations.tried(screen.dmg("system " + how, MOVED, "system", how, rank));
    }

    private boolean deviceFaulty() {
        if (!mayPutAway()) return false;
        List<JsonNode> devices;
        try {
            devices = screen.devices();
        } catch (IllegalStateException e) {
            return false;
        }
        if (devices.isEmpty()) return false;
        String uuid = draw.of(devices).path("uuid").asText();
        away = new Away(
                REPLACE, List.of(List.of("storage", "replace", "nvme", "--old-uuid", uuid, "--new-uuid", uuid)));
        return PoolOperations.tried(screen.dmg(
                "storage set nvme-faulty", CHANGED, "storage", "set", "nvme-faulty", "--force", "--uuid", uuid));
    }

    /** What fails is taken out, and not rebuilt until somebody wants it. */
    private boolean healLess() {
        if (!mayPutAway()) return false;
        away = new Away(
                "system self-heal eval",
                List.of(
                        List.of("system", "set-prop", "self_heal:exclude;pool_exclude;pool_rebuild"),
                        List.of("system", "self-heal", "eval")));
        return PoolOperations.tried(
                screen.dmg("system set-prop self_heal", "system", "set-prop", "self_heal:exclude;pool_exclude"));
    }

    /** Refused while the rebuild without it goes on, for one: it is tried again. */
    private boolean back(String kind) {
        Away way = away;
        if (way == null || !way.kind().equals(kind)) return false;
        boolean isBack = true;
        for (List<String> line : way.back())
            isBack = isBack
                    && screen.dmg(kind, kind.equals(REPLACE) ? CHANGED : MOVED, line.toArray(String[]::new))
                            == Answer.DONE;
        // it had not gone, or somebody else has brought it back
        screen.lookAgain();
        if (isBack || screen.areWhole()) away = null;
        return true;
    }
}
