package io.daosmesh.management.system.service;

import io.daosmesh.management.pool.Departure;
import io.daosmesh.management.rank.KnownServers;
import io.daosmesh.management.system.SystemDb;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.Member;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.ras.RasId;
import io.daosmesh.model.rpc.Registrations;
import io.daosmesh.model.rpc.RpcCall;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.LogCommand;
import io.daosmesh.model.wire.MemberChangeMessage;
import io.daosmesh.model.wire.MemberChangesMessage;
import io.daosmesh.model.wire.RasEventMessage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * What the leader of the management service does about an engine that has died: the rank is Errored, and the pools go on without it
 * until it is started. Once: a second message, and one about a former life of the rank, change nothing. An engine that asserted
 * still serves with its other targets. Any thread.
 */
public final class StateEventHandler {
    private static final Logger LOG = LoggerFactory.getLogger(StateEventHandler.class);
    private static final int INFO_MAX = 256;

    private final SystemService system;

    public StateEventHandler(SystemService system) {
        this.system = system;
    }

    public void register(Registrations r) {
        r.onFrom(RpcMethod.STATE_EVENT, RasEventMessage.parser(), this::onEvent);
    }

    private Mono<Empty> onEvent(RasEventMessage event, RpcCall.Peer peer) {
        int rank = number(event, "rank", 10).intValue();
        long incarnation = number(event, "inc", 16);
        return system.read(SystemDb::groupMap).flatMap(map -> {
            String at = map.member(rank).map(Member::address).orElse("nobody");
            KnownServers.requireSame("an event of rank " + rank, at, peer);
            boolean isDeath = event.getId().equals(RasId.ENGINE_DIED.label());
            boolean isNow = map.member(rank)
                    .filter(m -> m.incarnation() == incarnation && m.state().isInGroup())
                    .isPresent();
            LOG.info("rank {} tells {}{}", rank, Printable.of(event.getId()), isNow ? "" : " of a former life");
            return isDeath && isNow ? died(event, rank, incarnation) : Mono.just(Empty.getDefaultInstance());
        });
    }

    private Mono<Empty> died(RasEventMessage event, int rank, long incarnation) {
        String text = Departure.DIED + Printable.of(event.getFieldsOrDefault("data", event.getMessage()));
        MemberChangeMessage change = MemberChangeMessage.newBuilder()
                .setRank(rank)
                .setState(MemberState.ERRORED.toWire())
                .setIncarnation(incarnation)
                .setInfo(text.length() > INFO_MAX ? text.substring(0, INFO_MAX) : text)
                .setIfInGroup(true)
                .build();
        return system.propose(LogCommand.newBuilder()
                        .setMembers(MemberChangesMessage.newBuilder().addChanges(change)))
                .map(changed -> Empty.getDefaultInstance());
    }

    private static Long number(RasEventMessage event, String field, int radix) {
        String text = event.getFieldsOrDefault(field, "");
        try {
            return radix == 10 ? Integer.parseInt(text) : Long.parseUnsignedLong(text, radix);
        } catch (NumberFormatException e) {
            throw Fault.of(FaultCode.INVAL, "an event has no %s", field).asException();
        }
    }
}
