package io.daosmesh.itests.mesh.chaos;

import io.daosmesh.itests.mesh.chaos.Ledger.ContainerEntry;
import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.BooleanSupplier;

/** What must be refused, as far as an answer comes, whatever happens to the nodes. Owner: the thread of the operations. */
final class Mistakes {
    private final Screen screen;
    private final Ledger ledger;
    private final Draw draw;
    private final int rankCount;

    Mistakes(Screen screen, Ledger ledger, Draw draw, int rankCount) {
        this.screen = screen;
        this.ledger = ledger;
        this.draw = draw;
        this.rankCount = rankCount;
    }

    Map<String, BooleanSupplier> kinds() {
        Map<String, BooleanSupplier> kinds = new LinkedHashMap<>();
        kinds.put("mistake: twice", this::makeAgain);
        kinds.put("mistake: gone", this::useWhatIsGone);
        kinds.put("mistake: nonsense", this::talkNonsense);
        return kinds;
    }

    private boolean makeAgain() {
        PoolEntry pool = draw.pool();
        Optional<ContainerEntry> c = draw.container(pool);
        if (c.isPresent() && draw.mayBe())
            return screen.refused("mistake: twice", "EXIST", "daos", "container", "create", pool.label, c.get().label);
        return screen.refused("mistake: twice", "EXIST", "dmg", "pool", "create", pool.label, "--size", "300MB");
    }

    private boolean useWhatIsGone() {
        PoolEntry pool = draw.pool();
        List<ContainerEntry> containers = pool.with(Fate.GONE);
        List<PoolEntry> pools = ledger.pools(Fate.GONE);
        if (!containers.isEmpty() && (pools.isEmpty() || draw.mayBe()))
            return screen.refused(
                    "mistake: gone",
                    "NONEXIST",
                    "daos",
                    "container",
                    "destroy",
                    pool.label,
                    draw.of(containers).label,
                    "--force");
        if (pools.isEmpty()) return false;
        String gone = draw.of(pools).label;
        return switch (draw.below(3)) {
            case 0 -> screen.refused("mistake: gone", "NONEXIST", "dmg", "pool", "destroy", gone, "--force");
            case 1 -> screen.refused("mistake: gone", "NONEXIST", "dmg", "pool", "evict", gone);
            default -> screen.refused("mistake: gone", "NONEXIST", "daos", "container", "create", gone, "c");
        };
    }

    private boolean talkNonsense() {
        String kind = "mistake: nonsense";
        String pool = draw.pool().label;
        String noRank = "--ranks=" + (rankCount + 7);
        String noDevice =
                UUID.nameUUIDFromBytes(new byte[] {(byte) draw.below(100)}).toString();
        return switch (draw.below(6)) {
            case 0 -> screen.refused(kind, "INVAL", "dmg", "pool", "set-prop", pool, "space_rb:101");
            case 1 -> screen.refused(kind, "INVAL", "dmg", "system", "set-prop", "color:blue");
            case 2 -> screen.refused(kind, "INVAL", "dmg", "system", "exclude", noRank);
            case 3 -> screen.refused(kind, "NONEXIST", "dmg", "system", "stop", noRank);
            case 4 -> screen.refused(kind, "INVAL", "dmg", "pool", "update-acl", pool, "--entry=A::ada@:x");
            default ->
                screen.refused(kind, "NONEXIST", "dmg", "storage", "set", "nvme-faulty", "--force", "--uuid", noDevice);
        };
    }
}
