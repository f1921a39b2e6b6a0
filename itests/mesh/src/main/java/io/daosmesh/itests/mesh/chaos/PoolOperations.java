package io.daosmesh.itests.mesh.chaos;

import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import io.daosmesh.itests.mesh.chaos.Screen.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** {@code dmg pool}, but for ranks that go and come back. Owner: the thread of the operations. */
final class PoolOperations {
    private static final int POOLS_MAX = 4;
    private static final int EXTENSIBLE_RANKS = 3;
    private static final List<String> RIGHTS = List.of("r", "rw", "rwct", "rwcdt");

    /** Properties whose values are shown as they were given. */
    private static final List<String> PROPERTIES = List.of("rebuild_rate:1%d00", "scrub_freq:6048%d");

    private final Screen screen;
    private final Ledger ledger;
    private final Draw draw;
    private final int rankCount;

    PoolOperations(Screen screen, Ledger ledger, Draw draw, int rankCount) {
        this.screen = screen;
        this.ledger = ledger;
        this.draw = draw;
        this.rankCount = rankCount;
    }

    Map<String, BooleanSupplier> kinds() {
        Map<String, BooleanSupplier> kinds = new LinkedHashMap<>();
        kinds.put("pool create", () -> create(draw.mayBe()));
        kinds.put("pool destroy", this::destroy);
        kinds.put("pool set-prop", this::setProperty);
        kinds.put("pool extend", this::extend);
        kinds.put("pool evict", () -> tried(screen.dmg("pool evict", "pool", "evict", draw.pool().label)));
        kinds.put("pool upgrade", () -> tried(screen.dmg("pool upgrade", "pool", "upgrade", draw.pool().label)));
        kinds.put("pool update-acl", this::updateAcl);
        kinds.put("pool delete-acl", this::deleteAcl);
        kinds.put("pool overwrite-acl", this::overwriteAcl);
        kinds.put("pool rebuild stop", () -> rebuild("stop"));
        kinds.put("pool rebuild start", () -> rebuild("start"));
        return kinds;
    }

    /** It has been tried, whatever became of it. */
    static boolean tried(Answer answer) {
        return List.of(Answer.values()).contains(answer);
    }

    /** @param onFewer not on all ranks: it can be extended later */
    boolean create(boolean onFewer) {
        long there = ledger.pools().stream()
                .filter(p -> p.fate.mayBe() && !p.isUnseen)
                .count();
        if (there >= POOLS_MAX) return false;
        int count = onFewer ? Math.min(EXTENSIBLE_RANKS, rankCount) : rankCount;
        PoolEntry pool = ledger.add(draw.fresh("p"), Fate.MAKING);
        List<String> line = new ArrayList<>(List.of("pool", "create", pool.label, "--size", "300MB"));
        for (int r = 0; r < count; r++) pool.ranks.add(r);
        if (onFewer) line.addAll(List.of("--ranks", "0-" + (count - 1)));
        // a rank that is not there cannot be named
        pool.fate = Fate.made(screen.dmg("pool create", Set.of("INVAL", "NONEXIST"), line.toArray(String[]::new)));
        return true;
    }

    private boolean destroy() {
        Optional<PoolEntry> drawn = draw.butFirst(ledger.pools(Fate.THERE));
        if (drawn.isEmpty()) return false;
        PoolEntry pool = drawn.get();
        pool.fate = Fate.ENDING;
        pool.fate = Fate.ended(screen.dmg("pool destroy", "pool", "destroy", pool.label, "--force", "--recursive"));
        return true;
    }

    private boolean setProperty() {
        PoolEntry pool = draw.pool();
        String set = String.format(Locale.ROOT, draw.of(PROPERTIES), draw.below(10));
        String key = set.substring(0, set.indexOf(':'));
        Answer answer = screen.dmg("pool set-prop", "pool", "set-prop", pool.label, set);
        pool.properties.of(key).set(set.substring(key.length() + 1), answer);
        return true;
    }

    private boolean extend() {
        List<PoolEntry> smaller = ledger.pools(Fate.THERE).stream()
                .filter(p -> p.ranks.size() < rankCount)
                .toList();
        if (smaller.isEmpty() || !screen.areWhole()) return false;
        PoolEntry pool = draw.of(smaller);
        int rank = pool.ranks.size();
        Answer answer =
                screen.dmg("pool extend", Set.of("INVAL", "EXIST"), "pool", "extend", pool.label, "--ranks=" + rank);
        if (answer == Answer.DONE) pool.ranks.add(rank);
        return true;
    }

    private boolean updateAcl() {
        PoolEntry pool = draw.pool();
        String user = draw.user();
        String rights = draw.of(RIGHTS);
        pool.acl
                .of(user)
                .set(
                        rights,
                        screen.dmg(
                                "pool update-acl",
                                "pool",
                                "update-acl",
                                pool.label,
                                "--entry=A::" + user + "@:" + rights));
        return true;
    }

    private boolean deleteAcl() {
        PoolEntry pool = draw.pool();
        String user = draw.user();
        Setting entry = pool.acl.of(user);
        // of one that cannot be there it is a mistake
        Set<String> may = entry.mayBe("") ? Set.of("NONEXIST") : Set.of();
        boolean isSureToBeAbsent = entry.is("");
        Answer answer =
                screen.dmg("pool delete-acl", may, "pool", "delete-acl", pool.label, "--principal=u:" + user + "@");
        if (isSureToBeAbsent && answer == Answer.DONE)
            screen.journal().violation("an entry of %s is deleted from %s that was not there", user, pool.label);
        entry.set("", answer);
        return true;
    }

    private boolean overwriteAcl() {
        PoolEntry pool = draw.pool();
        String user = draw.user();
        String rights = draw.of(RIGHTS);
        Path file = screen.mesh().dir().resolve("chaos-acl");
        try {
            Files.writeString(file, "A::OWNER@:rwcdt\nA:G:GROUP@:rw\nA::" + user + "@:" + rights + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Answer answer = screen.dmg("pool overwrite-acl", "pool", "overwrite-acl", pool.label, "--acl-file=" + file);
        for (String other : Draw.USERS) pool.acl.of(other).set(other.equals(user) ? rights : "", answer);
        return true;
    }

    /** What there is not cannot be stopped; everything goes on at the end. */
    private boolean rebuild(String how) {
        return tried(screen.dmg("pool rebuild " + how, Set.of("NONEXIST"), "pool", "rebuild", how, draw.pool().label));
    }
}
