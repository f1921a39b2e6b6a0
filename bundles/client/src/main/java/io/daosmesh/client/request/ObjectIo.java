package io.daosmesh.client.request;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
import com.google.protobuf.UnsafeByteOperations;
import io.daosmesh.client.hedge.Alternative;
import io.daosmesh.client.hedge.Hedging;
import io.daosmesh.client.hedge.Sent;
import io.daosmesh.client.value.Condition;
import io.daosmesh.client.value.Expected;
import io.daosmesh.client.value.Fetched;
import io.daosmesh.client.value.KeyChange;
import io.daosmesh.client.value.Read;
import io.daosmesh.client.value.Write;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.id.ObjectId;
import io.daosmesh.model.placement.NameSum;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ShardGroup;
import io.daosmesh.model.placement.ValueRules;
import io.daosmesh.model.pool.PoolMap;
import io.daosmesh.model.pool.PoolTarget;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.ChangeRequest;
import io.daosmesh.model.wire.DtxMessage;
import io.daosmesh.model.wire.EnumerateReply;
import io.daosmesh.model.wire.EnumerateRequest;
import io.daosmesh.model.wire.FetchRequest;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ObjectAddress;
import io.daosmesh.model.wire.PunchRequest;
import io.daosmesh.model.wire.UpdateReply;
import io.daosmesh.model.wire.UpdateRequest;
import io.daosmesh.model.wire.ValueMessage;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;
import reactor.core.scheduler.Schedulers;

/**
 * Sends object requests to the leader of their group and sends them again when it is safe: an update keeps its DTX id, so
 * servers recognise it. Any thread.
 */
public final class ObjectIo {
    /** Bytes of values in one request; the transport refuses more. */
    public static final int REQUEST_BYTES_MAX = 8 << 20;

    /** Longest dkey or akey. */
    public static final int KEY_BYTES_MAX = 4096;

    /** Values of one request. */
    public static final int VALUES_MAX = 1024;

    /** Level of a punch. */
    public static final int PUNCH_EXTENTS = 3;

    public static final int KEYS_PER_PAGE = 512;

    private final Cluster cluster;
    private final PoolMaps maps;
    private final UUID container;
    private final Handle handle;
    private final ByteString client;
    private final Recovering recovering;

    public ObjectIo(Cluster cluster, PoolMaps maps, UUID container, Handle handle, UUID client) {
        this.cluster = cluster;
        this.maps = maps;
        this.container = container;
        this.handle = handle;
        this.client = Ids.bytes(client);
        this.recovering = new Recovering(cluster, maps);
    }

    /** Where one try goes. */
    private record Route(Endpoint to, ObjectAddress address, Sent sent) {}

    /**
     * Who is asked about a group, and why.
     *
     * @param leader target that led the group by the map
     * @param rank that is asked
     */
    private record Chosen(
            PoolMaps maps, ObjectId oid, int group, int mapVersion, int leader, int rank, Hedging.@Nullable Kind kind)
            implements Sent {
        @Override
        public boolean isOutdated() {
            PoolMap now = maps.map();
            if (now.version() == mapVersion) return false;
            ShardGroup layout = maps.layout(now, oid, group);
            return !layout.isAvailable() || layout.leader() != leader;
        }

        @Override
        public void look() {
            maps.look(rank);
        }
    }

    public Mono<Void> update(ObjectId oid, byte[] dkey, List<Write> writes, Condition condition) {
        return Mono.defer(() -> {
            Values values = Values.of(writes);
            UpdateRequest.Builder request = UpdateRequest.newBuilder()
                    .setDkey(key(dkey))
                    .addAllValues(values.descriptions())
                    .setDtx(newDtx())
                    .setCondition(condition.toWire());
            int group = Placement.groupOf(oid, dkey);
            return cluster.retrying()
                    .change(
                            state -> {
                                Route route = route(oid, group, 0);
                                UpdateRequest now = request.setAddress(route.address())
                                        .setNamesCrc32C(NameSum.at(route.address(), NameSum.UPDATE)
                                                .dkey(dkey, values.descriptions())
                                                .sum())
                                        .setResent(state.isResend())
                                        .build();
                                return call(route, RpcMethod.OBJECT_UPDATE, now, values.bytes(), state);
                            },
                            recovering.forChange())
                    .doOnSuccess(done -> cluster.counters().bytesWritten.add(values.length()))
                    .then();
        });
    }

    /** All or none; answers the version that every value written has now. */
    public Mono<Long> change(ObjectId oid, List<KeyChange> changes) {
        return Mono.defer(() -> {
            if (changes.isEmpty() || changes.size() > KeyChange.CHANGES_MAX) {
                throw Fault.of(
                                FaultCode.INVAL,
                                "a change is of 1 to %d keys, not %d",
                                KeyChange.CHANGES_MAX,
                                changes.size())
                        .asException();
            }
            Values values = Values.ofAll(
                    changes.stream().flatMap(c -> c.writes().stream()).toList());
            int group = Placement.groupOf(oid, changes.get(0).dkey());
            ChangeRequest.Builder request = ChangeRequest.newBuilder()
                    .addAllChanges(describe(oid, group, changes, values))
                    .setDtx(newDtx());
            return cluster.retrying()
                    .change(
                            state -> {
                                Route route = route(oid, group, 0);
                                ChangeRequest now = request.setAddress(route.address())
                                        .setNamesCrc32C(names(route, request.getChangesList()))
                                        .setResent(state.isResend())
                                        .build();
                                return call(route, RpcMethod.OBJECT_CHANGE, now, values.bytes(), state);
                            },
                            recovering.forChange())
                    .doOnSuccess(done -> cluster.counters().bytesWritten.add(values.length()));
        });
    }

    private static List<KeyChangeMessage> describe(ObjectId oid, int group, List<KeyChange> changes, Values values) {
        List<KeyChangeMessage> messages = new ArrayList<>(changes.size());
        int at = 0;
        for (KeyChange c : changes) {
            if (Placement.groupOf(oid, c.dkey()) != group) {
                throw Fault.of(FaultCode.INVAL, "the keys of a change belong to different groups of object %s", oid)
                        .remedy("use an object with one group for keys that change together")
                        .asException();
            }
            List<ValueMessage> written =
                    values.descriptions().subList(at, at + c.writes().size());
            ValueRules.check(ValueRules.Use.UPDATE, written);
            Expected expected = c.expected();
            KeyChangeMessage.Builder message = KeyChangeMessage.newBuilder()
                    .setDkey(key(c.dkey()))
                    .setPunch(c.isRemoval())
                    .addAllValues(written)
                    .setCondition(expected.kind().toWire())
                    .setVersion(expected.version());
            if (expected.akey().length > 0) message.setAkey(key(expected.akey()));
            messages.add(message.build());
            at += c.writes().size();
        }
        return messages;
    }

    private static int names(Route route, List<KeyChangeMessage> changes) {
        NameSum sum = NameSum.at(route.address(), NameSum.CHANGES);
        for (KeyChangeMessage c : changes) sum.dkey(c.getDkey().toByteArray(), c.getValuesList());
        return sum.sum();
    }

    private Mono<Long> call(Route route, RpcMethod method, MessageLite request, ByteBuffer data, Retrying.Try state) {
        Mono<Long> sent = cluster.config()
                .rpc()
                .call(
                        route.to(),
                        method,
                        RpcMessage.of(request, data.duplicate()),
                        state.limit(),
                        reply -> UpdateReply.parseFrom(reply.body()).getEpoch());
        return cluster.watch().watch(route.sent(), sent, null).publishOn(Schedulers.parallel());
    }

    /** Level as in the protocol: 0 object (this group of it), 1 dkey, 2 akeys, 3 extents. */
    public Mono<Void> punch(ObjectId oid, int group, PunchRequest description) {
        return Mono.defer(() -> {
            checkCount(description.getValuesCount());
            ValueRules.check(
                    description.getLevel() == PUNCH_EXTENTS ? ValueRules.Use.PUNCH_EXTENTS : ValueRules.Use.PUNCH_AKEYS,
                    description.getValuesList());
            PunchRequest.Builder request = description.toBuilder().setDtx(newDtx());
            return cluster.retrying()
                    .change(
                            state -> {
                                Route route = route(oid, group, 0);
                                PunchRequest now = request.setAddress(route.address())
                                        .setNamesCrc32C(NameSum.at(route.address(), request.getLevel())
                                                .dkey(request.getDkey().toByteArray(), request.getValuesList())
                                                .sum())
                                        .setResent(state.isResend())
                                        .build();
                                return call(route, RpcMethod.OBJECT_PUNCH, now, RpcMessage.NO_DATA, state);
                            },
                            recovering.forChange())
                    .then();
        });
    }

    public Mono<List<Fetched>> fetch(ObjectId oid, byte[] dkey, List<Read> reads) {
        return Mono.defer(() -> {
            FetchPlan plan = FetchPlan.of(dkey, reads);
            int group = Placement.groupOf(oid, dkey);
            Recovering.ForRead recovery = recovering.forRead();
            return cluster.retrying()
                    .run(
                            state -> {
                                if (recovery.replica() == 0) return hedged(plan, oid, group, state);
                                Route route = route(oid, group, recovery.replica());
                                FetchRequest request = plan.request(route.address(), recovery.epoch());
                                return cluster.watch().watch(route.sent(), read(plan, route, request, state), null);
                            },
                            recovery)
                    .doOnNext(all -> all.forEach(
                            one -> cluster.counters().bytesRead.add(one.data().remaining())));
        });
    }

    /** Of the leader, and of another replica if that takes unusually long; of another one first while the leader is slow. */
    private Mono<List<Fetched>> hedged(FetchPlan plan, ObjectId oid, int group, Retrying.Try state) {
        PoolMap map = maps.map();
        ShardGroup layout = available(map, oid, group);
        List<Integer> holders = layout.settled();
        Hedging.Choice choice = cluster.watch()
                .choose(
                        holders.size(),
                        i -> map.target(holders.get(i)).rank(),
                        plan.template().getDkey().hashCode(),
                        state.number() == 0);
        Route first = route(map, layout, oid, choice.first(), choice.first() == 0 ? plan.kind() : null);
        Alternative<List<Fetched>> second = null;
        if (choice.second() >= 0) {
            int rank = map.target(holders.get(choice.second())).rank();
            second = new Alternative<>(rank, Mono.defer(() -> {
                Route other = route(map, layout, oid, choice.second(), null);
                return read(plan, other, requestOf(plan, other, choice.second()), state);
            }));
        }
        Mono<List<Fetched>> sent = read(plan, first, requestOf(plan, first, choice.first()), state);
        return cluster.watch().watch(first.sent(), sent, second);
    }

    private static FetchRequest requestOf(FetchPlan plan, Route route, int replica) {
        return replica == 0 ? plan.request(route.address(), 0) : plan.requestOfAny(route.address());
    }

    private Mono<List<Fetched>> read(FetchPlan plan, Route route, FetchRequest request, Retrying.Try state) {
        return cluster.config()
                .rpc()
                .call(route.to(), RpcMethod.OBJECT_FETCH, RpcMessage.of(request), state.limit(), FetchPlan::copy)
                .flatMap(answer -> verified(plan, answer));
    }

    /** A short answer goes on where it came: another thread would have to be woken. A long one would hold up the others. */
    private static Mono<List<Fetched>> verified(FetchPlan plan, FetchPlan.Answer answer) {
        Mono<FetchPlan.Answer> come = Mono.just(answer);
        return (answer.isLong() ? come.publishOn(Schedulers.parallel()) : come).map(plan::verified);
    }

    public Mono<EnumerateReply> enumerate(ObjectId oid, int group, EnumerateRequest description) {
        return Mono.defer(() -> {
            EnumerateRequest.Builder request = description.toBuilder().setCountMax(KEYS_PER_PAGE);
            return cluster.retrying()
                    .run(
                            state -> {
                                Route route = route(oid, group, 0);
                                Mono<EnumerateReply> sent = cluster.config()
                                        .rpc()
                                        .call(
                                                route.to(),
                                                RpcMethod.OBJECT_ENUMERATE,
                                                RpcMessage.of(request.setAddress(route.address())
                                                        .build()),
                                                state.limit(),
                                                reply -> EnumerateReply.parseFrom(reply.body()));
                                return cluster.watch()
                                        .watch(route.sent(), sent, null)
                                        .publishOn(Schedulers.parallel());
                            },
                            recovering.forRead());
        });
    }

    /** @param replica 0 = the leader; else another holder of the group's data, round and round */
    private Route route(ObjectId oid, int group, int replica) {
        PoolMap map = maps.map();
        ShardGroup layout = available(map, oid, group);
        return route(map, layout, oid, replica % layout.settled().size(), null);
    }

    private ShardGroup available(PoolMap map, ObjectId oid, int group) {
        ShardGroup layout = maps.layout(map, oid, group);
        if (!layout.isAvailable()) throw Recovering.unavailable(oid, group, map);
        return layout;
    }

    private Route route(PoolMap map, ShardGroup layout, ObjectId oid, int replica, Hedging.@Nullable Kind kind) {
        ByteString shown = handle.shown();
        PoolTarget target = map.target(layout.settled().get(replica));
        ObjectAddress address = ObjectAddress.newBuilder()
                .setPool(Ids.bytes(map.pool()))
                .setContainer(Ids.bytes(container))
                .setOidHigh(oid.high())
                .setOidLow(oid.low())
                .setTarget(target.index())
                .setGroup(layout.index())
                .setMapVersion(map.version())
                .setHandle(shown)
                .build();
        Sent sent = new Chosen(maps, oid, layout.index(), map.version(), layout.leader(), target.rank(), kind);
        return new Route(cluster.endpoint(target.rank()), address, sent);
    }

    private DtxMessage newDtx() {
        return DtxMessage.newBuilder()
                .setClient(client)
                .setHlc(cluster.config().clock().now())
                .build();
    }

    /** A key as the wire wants it; KEY2BIG or INVAL when servers would refuse it. */
    public static ByteString key(byte[] key) {
        if (key.length > KEY_BYTES_MAX) {
            throw Fault.of(FaultCode.KEY2BIG, "a key has at most %d bytes, not %d", KEY_BYTES_MAX, key.length)
                    .asException();
        }
        if (key.length == 0) {
            throw Fault.of(FaultCode.INVAL, "a key has at least one byte").asException();
        }
        return UnsafeByteOperations.unsafeWrap(key);
    }

    public static void checkCount(int valueCount) {
        if (valueCount > VALUES_MAX) {
            throw Fault.of(FaultCode.INVAL, "%d values in one request, at most %d", valueCount, VALUES_MAX)
                    .asException();
        }
    }

    public static ValueMessage describe(byte[] akey, Write.Kind kind, long offset, long length) {
        return ValueMessage.newBuilder()
                .setAkey(key(akey))
                .setKind(kind.code())
                .setOffset(offset)
                .setLength(length)
                .build();
    }
}
