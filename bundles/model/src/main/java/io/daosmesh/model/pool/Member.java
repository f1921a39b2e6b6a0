package io.daosmesh.model.pool;

import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.MemberMessage;
import java.util.UUID;

/**
 * A rank as the system database knows it. Immutable.
 *
 * @param address control address {@code host:port} of its node; every RPC to the rank goes there
 * @param incarnation HLC of the rank's last start
 * @param updatedHlc when this entry changed last
 */
public record Member(
        int rank,
        UUID uuid,
        String address,
        String faultDomain,
        MemberState state,
        long incarnation,
        int targetCount,
        int engineIndex,
        String info,
        long updatedHlc) {

    public Member withState(MemberState next, String newInfo, long hlc) {
        return new Member(rank, uuid, address, faultDomain, next, incarnation, targetCount, engineIndex, newInfo, hlc);
    }

    public MemberMessage toWire() {
        return MemberMessage.newBuilder()
                .setRank(rank)
                .setUuid(Ids.bytes(uuid))
                .setAddress(address)
                .setFaultDomain(faultDomain)
                .setState(state.toWire())
                .setIncarnation(incarnation)
                .setTargetCount(targetCount)
                .setEngineIndex(engineIndex)
                .setInfo(info)
                .setUpdatedHlc(updatedHlc)
                .build();
    }

    public static Member fromWire(MemberMessage m) {
        return new Member(
                m.getRank(),
                Ids.uuid(m.getUuid()),
                m.getAddress(),
                m.getFaultDomain(),
                MemberState.of(m.getState()),
                m.getIncarnation(),
                m.getTargetCount(),
                m.getEngineIndex(),
                m.getInfo(),
                m.getUpdatedHlc());
    }
}
