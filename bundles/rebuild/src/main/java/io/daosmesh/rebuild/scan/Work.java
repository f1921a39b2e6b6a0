package io.daosmesh.rebuild.scan;

import com.google.protobuf.ByteString;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.port.EngineMigration.GroupPart;
import io.daosmesh.model.port.EngineMigration.StoredGroup;
import io.daosmesh.model.wire.RebuildObjectMessage;
import java.util.List;
import java.util.UUID;

/**
 * One group of one object that a target has to pull, or some dkeys of it. Immutable; equal works are the same work.
 *
 * @param source pool target id that holds it complete
 * @param destination pool target id of its new home
 * @param dkeys of these alone; empty = all of the group
 */
public record Work(UUID container, ObjectId oid, int group, int source, int destination, List<ByteString> dkeys) {
    public Work {
        dkeys = List.copyOf(dkeys);
    }

    /** All of a group. */
    public Work(UUID container, ObjectId oid, int group, int source, int destination) {
        this(container, oid, group, source, destination, List.of());
    }

    /** The same from another holder. */
    public Work from(int otherSource) {
        return new Work(container, oid, group, otherSource, destination, dkeys);
    }

    /** Some dkeys of the same group. */
    public Work of(List<ByteString> some) {
        return new Work(container, oid, group, source, destination, some);
    }

    public StoredGroup stored() {
        return new StoredGroup(container, oid, group);
    }

    public GroupPart part() {
        return new GroupPart(stored(), dkeys);
    }

    public RebuildObjectMessage toWire() {
        return RebuildObjectMessage.newBuilder()
                .setContainer(Ids.bytes(container))
                .setOidHigh(oid.high())
                .setOidLow(oid.low())
                .setGroup(group)
                .setSourceTarget(source)
                .setDestinationTarget(destination)
                .addAllDkeys(dkeys)
                .build();
    }

    public static Work fromWire(RebuildObjectMessage m) {
        return new Work(
                Ids.uuid(m.getContainer()),
                new ObjectId(m.getOidHigh(), m.getOidLow()),
                m.getGroup(),
                m.getSourceTarget(),
                m.getDestinationTarget(),
                m.getDkeysList());
    }
}
