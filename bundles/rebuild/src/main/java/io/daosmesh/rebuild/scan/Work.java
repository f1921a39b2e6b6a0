package io.daosmesh.rebuild.scan;

import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.wire.RebuildObjectMessage;
import java.util.UUID;

/**
 * One group of one object that a target has to pull. Immutable; equal works are the same work.
 *
 * @param source pool target id that holds it complete
 * @param destination pool target id of its new home
 */
public record Work(UUID container, ObjectId oid, int group, int source, int destination) {

    /** The same from another holder. */
    public Work from(int otherSource) {
        return new Work(container, oid, group, otherSource, destination);
    }

    public RebuildObjectMessage toWire() {
        return RebuildObjectMessage.newBuilder()
                .setContainer(Ids.bytes(container))
                .setOidHigh(oid.high())
                .setOidLow(oid.low())
                .setGroup(group)
                .setSourceTarget(source)
                .setDestinationTarget(destination)
                .build();
    }

    public static Work fromWire(RebuildObjectMessage m) {
        return new Work(
                Ids.uuid(m.getContainer()),
                new ObjectId(m.getOidHigh(), m.getOidLow()),
                m.getGroup(),
                m.getSourceTarget(),
                m.getDestinationTarget());
    }
}
