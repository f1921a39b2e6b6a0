package io.daosmesh.client.request;

import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.OidRangeReply;
import io.daosmesh.model.wire.OidRangeRequest;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import reactor.core.publisher.Mono;

/** Numbers for new objects of a container, fetched in ranges that grow with use. Any thread: one atomic word. */
public final class OidRanges {
    private static final int COUNT_FIRST = 16;
    private static final int COUNT_MAX = 4096;

    private record Range(long next, long end) {}

    private final PoolService service;
    private final String pool;
    private final String container;
    private final Handle handle;
    private final AtomicReference<Range> range = new AtomicReference<>(new Range(0, 0));
    private final SingleFlight<Long> fetching = new SingleFlight<>();
    private volatile int count = COUNT_FIRST;

    public OidRanges(PoolService service, String pool, String container, Handle handle) {
        this.service = service;
        this.pool = pool;
        this.container = container;
        this.handle = handle;
    }

    public Mono<Long> next() {
        return Mono.defer(() -> {
            Range before = range.getAndUpdate(r -> r.next() < r.end() ? new Range(r.next() + 1, r.end()) : r);
            if (before.next() < before.end()) return Mono.just(before.next());
            return fetching.join(this::fetch).then(next());
        });
    }

    private Mono<Long> fetch() {
        // Somebody may have fetched between our look and the start of this flight.
        Range now = Objects.requireNonNull(range.get());
        if (now.next() < now.end()) return Mono.just(now.next());
        int wanted = count;
        OidRangeRequest request = OidRangeRequest.newBuilder()
                .setPool(pool)
                .setContainer(container)
                .setCount(wanted)
                .setHandle(handle.shown())
                .build();
        return service.call(
                        RpcMethod.OID_RANGE,
                        request,
                        reply -> OidRangeReply.parseFrom(reply.body()).getFirst())
                .doOnNext(first -> {
                    range.set(new Range(first, first + wanted));
                    count = Math.min(COUNT_MAX, wanted * 4);
                });
    }
}
