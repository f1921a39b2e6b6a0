package io.daosmesh.management.system;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.JoinRequest;
import java.util.Collection;
import java.util.UUID;

/**
 * An engine on new storage takes the rank of one that is lost with its own. Pure. Source: DAOS 2.8, join with the replace flag;
 * daos-admin facts 4.3.
 */
public final class Replacement {
    /** DAOS's numbers of these faults. */
    private static final int RANK_NOT_FOUND = 403;

    private static final int STILL_ENABLED = 622;

    private Replacement() {}

    /** False for a join of an engine that the system knows, whose answer was lost. */
    public static boolean isWanted(JoinRequest r, Collection<Member> members) {
        UUID uuid = Ids.uuid(r.getUuid());
        return r.getReplace() && members.stream().noneMatch(m -> m.uuid().equals(uuid));
    }

    /**
     * The rank that has the address, the fault domain and the number of the engine. NONEXIST when there is none, EXCLUDED when an
     * administrator has put it out, MISMATCH when it has another number of targets, INVAL when the engine has a rank.
     */
    public static Member lost(JoinRequest r, Collection<Member> members) {
        if (r.getWantedRank() >= 0)
            throw Fault.of(FaultCode.INVAL, "an engine that is rank %d replaces no other", r.getWantedRank())
                    .asException();
        Member lost = members.stream()
                .filter(m -> m.address().equals(r.getAddress())
                        && m.faultDomain().equals(r.getFaultDomain())
                        && m.engineIndex() == r.getEngineIndex())
                .findFirst()
                .orElseThrow(() -> Fault.of(
                                FaultCode.NONEXIST,
                                "no rank has joined from %s as engine %d in fault domain %s: there is none to replace",
                                r.getAddress(),
                                r.getEngineIndex(),
                                r.getFaultDomain())
                        .remedy("format its storage again without --replace, with --force, to join as a new rank")
                        .with("domain", "system")
                        .with("fault", RANK_NOT_FOUND)
                        .asException());
        if (lost.state() == MemberState.ADMIN_EXCLUDED)
            throw Fault.of(FaultCode.EXCLUDED, "rank %d is administratively excluded", lost.rank())
                    .remedy("run dmg system clear-exclude first")
                    .asException();
        if (lost.targetCount() != r.getTargetCount())
            throw Fault.of(
                            FaultCode.MISMATCH,
                            "rank %d has %d targets, the engine that shall replace it has %d",
                            lost.rank(),
                            lost.targetCount(),
                            r.getTargetCount())
                    .remedy("configure as many targets as the lost engine had, then format it again")
                    .asException();
        return lost;
    }

    /** Nobody knows whether they count on it: their services are without a majority, or do not answer in time. */
    public static FaultException untold(Member lost, Collection<String> pools) {
        return Fault.of(FaultCode.BUSY, "pools %s do not say whether they count on rank %d", pools, lost.rank())
                .remedy(
                        "it takes its place as soon as they do: start the other ranks of their services (dmg pool query),"
                                + " or give up those pools with dmg pool destroy --force")
                .asException();
    }

    /** The rank would come back with nothing while others count on what it had. */
    public static FaultException stillEnabled(Member lost, Collection<String> pools) {
        return Fault.of(FaultCode.BUSY, "rank %d is still enabled in pools %s", lost.rank(), pools)
                .remedy("it takes its place as soon as they have excluded it: wait, or dmg pool exclude --ranks "
                        + lost.rank())
                .with("domain", "server")
                .with("fault", STILL_ENABLED)
                .asException();
    }
}
