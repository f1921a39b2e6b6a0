package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcServer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/** Who answers what, for which rank. Any thread. Filled by registrations, so as large as the method table times the ranks. */
public final class HandlerTable implements RpcServer {
    /** A rank without any handler still counts as restarting for this long: longer than an update of its bundle. */
    private static final long RESTART_NS = 30_000_000_000L;

    private final Map<Key, Slot> handlers = new ConcurrentHashMap<>();
    private final Map<Integer, Long> rankGoneNs = new ConcurrentHashMap<>();
    private final Supplier<String> address;
    private final LongSupplier nowNs;

    private record Key(int rank, RpcMethod method) {}

    private static final class Slot {
        final Object handler;

        Slot(Object handler) {
            this.handler = handler;
        }
    }

    public HandlerTable(Supplier<String> address, LongSupplier nowNs) {
        this.address = address;
        this.nowNs = nowNs;
    }

    @Override
    public Registration register(int rank, RpcMethod method, Handler handler) {
        if (method.kind() == RpcMethod.Kind.STREAM) throw new IllegalArgumentException(method + " is a stream");
        return add(new Key(rank, method), handler);
    }

    @Override
    public Registration registerStream(int rank, RpcMethod method, StreamHandler handler) {
        if (method.kind() != RpcMethod.Kind.STREAM) throw new IllegalArgumentException(method + " is no stream");
        return add(new Key(rank, method), handler);
    }

    @Override
    public String address() {
        return address.get();
    }

    /** AGAIN while nobody answers, OOG for a rank that is not here. */
    public Handler find(int rank, RpcMethod method) {
        return (Handler) lookUp(rank, method);
    }

    /** AGAIN while nobody answers, OOG for a rank that is not here. */
    public StreamHandler findStream(int rank, RpcMethod method) {
        return (StreamHandler) lookUp(rank, method);
    }

    private Registration add(Key key, Object handler) {
        // compared by identity: the older of two registrations must not take the younger away with it
        Slot unique = new Slot(handler);
        handlers.put(key, unique);
        rankGoneNs.put(key.rank(), Long.MAX_VALUE);
        return () -> {
            if (!handlers.remove(key, unique)) return;
            boolean last = handlers.keySet().stream().noneMatch(k -> k.rank() == key.rank());
            if (last) rankGoneNs.put(key.rank(), nowNs.getAsLong());
        };
    }

    private Object lookUp(int rank, RpcMethod method) {
        Slot found = handlers.get(new Key(rank, method));
        if (found != null) return found.handler;
        Long goneNs = rankGoneNs.get(rank);
        boolean isKnown = rank == Endpoint.NODE
                || goneNs != null && (goneNs == Long.MAX_VALUE || nowNs.getAsLong() - goneNs < RESTART_NS);
        if (!isKnown) {
            throw Fault.of(FaultCode.OOG, "rank %d is not served by %s", rank, address.get())
                    .with("rank", rank)
                    .asException();
        }
        throw Fault.of(FaultCode.AGAIN, "%s is not ready on %s", method, address.get())
                .with("state", "restarting")
                .asException();
    }
}
