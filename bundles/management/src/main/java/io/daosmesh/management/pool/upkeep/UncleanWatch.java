package io.daosmesh.management.pool.upkeep;

import io.daosmesh.management.pool.ContainerHealth;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.Ras;
import io.daosmesh.model.ras.RasEvent.Severity;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.wire.ContainerMessage;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Raises an event when a container of a pool that this node leads becomes unclean: once, and not again for what a former
 * leader has told already. Owner: management loop.
 */
public final class UncleanWatch {
    private final Ras ras;
    private final UUID pool;
    /** As many as there are containers; null = what was before this node led is not known yet. */
    private @Nullable Set<UUID> known;

    public UncleanWatch(Ras ras, UUID pool) {
        this.ras = ras;
        this.pool = pool;
    }

    /** This node leads no more, or again. */
    public void forget() {
        known = null;
    }

    public void review(List<ContainerMessage> containers) {
        Set<UUID> before = known;
        Set<UUID> now = new HashSet<>();
        for (ContainerMessage c : containers) {
            if (!ContainerHealth.isUnclean(c)) continue;
            UUID id = Ids.uuid(c.getUuid());
            now.add(id);
            if (before != null && !before.contains(id)) raise(c, id);
        }
        known = now;
    }

    private void raise(ContainerMessage c, UUID id) {
        String what = "Container " + c.getLabel() + " is UNCLEAN: more than rd_fac " + c.getRdFac()
                + " fault domains have failed.";
        ras.raise(
                RasId.CONTAINER_UNCLEAN,
                Severity.ERROR,
                what,
                Map.of("pool", pool.toString(), "cont", id.toString(), "data", "ver=" + c.getUncleanVersion()));
    }
}
