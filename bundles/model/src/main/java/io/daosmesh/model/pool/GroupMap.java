package io.daosmesh.model.pool;

import io.daosmesh.model.wire.GroupMapMessage;
import java.util.List;
import java.util.Optional;

/**
 * All members of the system at one version. Immutable.
 *
 * @param version strictly increasing; 0 = nothing known yet
 * @param members ordered by rank
 */
public record GroupMap(String system, int version, List<Member> members) {
    public GroupMap {
        members = List.copyOf(members);
    }

    public Optional<Member> member(int rank) {
        return members.stream().filter(m -> m.rank() == rank).findFirst();
    }

    public GroupMapMessage toWire() {
        return GroupMapMessage.newBuilder()
                .setSystem(system)
                .setVersion(version)
                .addAllMembers(members.stream().map(Member::toWire).toList())
                .build();
    }

    public static GroupMap fromWire(GroupMapMessage m) {
        return new GroupMap(
                m.getSystem(),
                m.getVersion(),
                m.getMembersList().stream().map(Member::fromWire).toList());
    }
}
