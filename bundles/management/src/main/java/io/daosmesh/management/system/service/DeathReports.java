package io.daosmesh.management.system.service;

import io.daosmesh.management.loop.NodeContext;
import io.daosmesh.management.properties.SystemProperties;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.management.system.Accusations;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.GroupMapRequest;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.MemberChangeMessage;
import io.daosmesh.model.wire.MemberChangesMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.RankDeadReport;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/** What the leader of the management service does about reports of dead ranks. Any thread. */
public final class DeathReports {
    private static final Logger LOG = LoggerFactory.getLogger(DeathReports.class);
    private static final Duration PROBE_MAX = Duration.ofNanos(Accusations.PROBE_NS);

    private final NodeContext node;
    private final SystemService system;
    /** Owner: management loop. */
    private final Accusations accusations = new Accusations();

    public DeathReports(NodeContext node, SystemService system) {
        this.node = node;
        this.system = system;
    }

    public void register(Registrations r) {
        r.onFrom(RpcMethod.RANK_DEAD, RankDeadReport.parser(), this::onReport);
    }

    /** Emits when the report has been dealt with, whatever came of it; AGAIN while it is the word of one. */
    private Mono<Empty> onReport(RankDeadReport r, RpcCall.Peer peer) {
        return system.read(db -> checked(db, r, peer))
                .publishOn(node.loop().scheduler())
                .flatMap(map -> switch (accusations.onReport(
                        System.nanoTime(), map, r.getRank(), r.getIncarnation(), peer.address())) {
                    case NOTHING -> Mono.just(Empty.getDefaultInstance());
                    case DEAD -> exclude(r, "");
                    case PROBE ->
                        probe(map.member(r.getRank()).orElseThrow())
                                .flatMap(answers ->
                                        answers ? Mono.error(alone(r).asException()) : exclude(r, " and of a probe"));
                    case WAIT -> Mono.error(alone(r).asException());
                });
    }

    /** NO_PERM when the reporting rank is not one of the peer's in the group, and while the policy of the system is against it. */
    private static GroupMap checked(SystemDb db, RankDeadReport r, RpcCall.Peer peer) {
        GroupMap map = db.groupMap();
        String at = map.member(r.getReporter())
                .filter(m -> m.state().isInGroup())
                .map(Member::address)
                .orElse("nobody");
        KnownServers.requireSame("a report of rank " + Integer.toUnsignedString(r.getReporter()), at, peer);
        // Refused, not heeded: who reports it asks again, so that it counts once the policy allows it.
        if (!SystemProperties.heals(db.properties(), "exclude"))
            throw Fault.of(FaultCode.NO_PERM, "self_heal of the system forbids to exclude dead ranks")
                    .asException();
        return map;
    }

    private static Fault alone(RankDeadReport r) {
        return Fault.of(FaultCode.AGAIN, "nobody else says that rank %d is dead, and its node answers", r.getRank());
    }

    /** The leader as a witness: whether anything on the rank's node answers. */
    private Mono<Boolean> probe(Member accused) {
        if (accused.address().equals(node.address())) return Mono.just(true);
        int known = system.replica().read(SystemDb::mapVersion);
        return node.rpc()
                .call(
                        Endpoint.node(accused.address()),
                        RpcMethod.GROUP_MAP,
                        RpcMessage.of(GroupMapRequest.newBuilder()
                                .setKnownVersion(known)
                                .build()),
                        PROBE_MAX,
                        r -> true)
                .onErrorResume(e -> {
                    FaultCode c = FaultException.faultOf(e).code();
                    return Mono.just(c != FaultCode.UNREACH && c != FaultCode.TIMEDOUT);
                });
    }

    /** The event itself is raised by gossip, on the nodes that saw it. */
    private Mono<Empty> exclude(RankDeadReport r, String andOf) {
        LOG.info("excludes rank {} on the word of rank {}{}", r.getRank(), r.getReporter(), andOf);
        MemberChangeMessage change = MemberChangeMessage.newBuilder()
                .setRank(r.getRank())
                .setState(MemberMessage.State.EXCLUDED)
                .setIncarnation(r.getIncarnation())
                .setInfo(r.getReason())
                .setIfInGroup(true)
                .build();
        return system.propose(LogCommand.newBuilder()
                        .setMembers(MemberChangesMessage.newBuilder().addChanges(change)))
                .map(changed -> Empty.getDefaultInstance());
    }
}
