package io.daosmesh.agent;

import com.google.protobuf.ByteString;
import io.daosmesh.model.pool.GroupMap;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AgentAttachMessage;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.GroupMapRequest;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.MemberMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.publisher.Mono;

/**
 * Where the system is: asked of it and remembered (DAOS: attach info). Any thread: atomic references; askers at the same time
 * share one question.
 */
final class Attachments {
    private static final Logger log = LoggerFactory.getLogger(Attachments.class);
    private static final Duration ASK_LIMIT = Duration.ofSeconds(10);

    /** Room in a message beside the authority's certificates. */
    private static final int ADDRESS_BYTES_MAX = 24 << 10;

    private record Known(AgentAttachMessage info, GroupMap map, long sinceNs, boolean isOutdated) {}

    private final SystemCalls calls;
    private final Agent.Identity identity;
    private final Agent.Caching caching;
    private final LongSupplier clockNs;
    private final AtomicReference<@Nullable Known> known = new AtomicReference<>();
    private final AtomicReference<@Nullable Mono<Known>> asking = new AtomicReference<>();

    Attachments(SystemCalls calls, Agent.Identity identity, Agent.Caching caching, LongSupplier clockNs) {
        this.calls = calls;
        this.identity = identity;
        this.caching = caching;
        this.clockNs = clockNs;
    }

    /** UNREACH or TIMEDOUT when no server answers and none ever did, or nothing may be remembered. */
    Mono<AgentAttachMessage> get() {
        return Mono.defer(() -> {
            Known have = known.get();
            if (have != null && isFresh(have)) return Mono.just(withAuthority(have));
            return ask().onErrorResume(e -> {
                        // a system that restarts is still where it was
                        if (have == null || caching.isDisabled()) return Mono.error(e);
                        log.warn("no server answers: clients get the addresses of before: {}", e.getMessage());
                        return Mono.just(have);
                    })
                    .map(this::withAuthority);
        });
    }

    /** Ranks and addresses for people. */
    Mono<GroupMap> map() {
        return ask().map(Known::map);
    }

    private boolean isFresh(Known have) {
        if (caching.isDisabled() || have.isOutdated) return false;
        Duration expiration = caching.expiration();
        return expiration.isZero() || clockNs.getAsLong() - have.sinceNs < expiration.toNanos();
    }

    /** At the next question the system is asked again; until it answers, what is known stays. */
    void refresh() {
        known.updateAndGet(have -> have == null ? null : new Known(have.info, have.map, have.sinceNs, true));
        ask().subscribe(
                        now -> log.info(
                                "asked the system again: {} members",
                                now.map.members().size()),
                        e -> log.warn("the system could not be asked again: {}", e.getMessage()));
    }

    private Mono<Known> ask() {
        return Mono.defer(() -> {
            Mono<Known> question = question().cache();
            Mono<Known> shared = asking.updateAndGet(running -> running == null ? question : running);
            return shared == null ? question : shared.doFinally(s -> asking.compareAndSet(shared, null));
        });
    }

    private Mono<Known> question() {
        Mono<LeaderQueryReply> leader = calls.askAny(
                RpcMethod.LEADER_QUERY, Empty.getDefaultInstance(), r -> LeaderQueryReply.parseFrom(r.body()));
        Mono<GroupMapMessage> members = calls.askAny(
                RpcMethod.GROUP_MAP, GroupMapRequest.getDefaultInstance(), r -> GroupMapMessage.parseFrom(r.body()));
        return Mono.zip(leader, members).timeout(ASK_LIMIT).map(both -> learn(both.getT1(), both.getT2()));
    }

    private Known learn(LeaderQueryReply leader, GroupMapMessage message) {
        Set<String> replicas = new LinkedHashSet<>();
        if (!leader.getLeader().isEmpty()) replicas.add(leader.getLeader());
        replicas.addAll(leader.getReplicasList());
        Set<String> members = new LinkedHashSet<>();
        for (MemberMessage member : message.getMembersList()) members.add(member.getAddress());
        List<String> all = new ArrayList<>(replicas);
        all.addAll(members);
        calls.learn(all);
        AgentAttachMessage info = AgentAttachMessage.newBuilder()
                .setSystem(identity.system())
                .addAllReplicas(replicas)
                .addAllAddresses(fitting(members))
                .setClearData(identity.clearData())
                .setAllowInsecure(identity.allowInsecure())
                .build();
        Known now = new Known(info, GroupMap.fromWire(message), clockNs.getAsLong(), false);
        known.set(now);
        return now;
    }

    /** A client needs one server that answers; it learns the others from it. */
    private static List<String> fitting(Set<String> addresses) {
        List<String> some = new ArrayList<>();
        int bytes = 0;
        for (String address : addresses) {
            bytes += address.length() + 3;
            if (bytes > ADDRESS_BYTES_MAX) break;
            some.add(address);
        }
        return some;
    }

    private AgentAttachMessage withAuthority(Known have) {
        Optional<byte[]> ca = identity.authority();
        return have.info.toBuilder()
                .setCa(ca.map(ByteString::copyFrom).orElse(ByteString.EMPTY))
                .build();
    }
}
