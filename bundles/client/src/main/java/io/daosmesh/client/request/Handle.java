package io.daosmesh.client.request;

import com.google.protobuf.ByteString;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.publisher.Mono;

/** What the pool service has given to show with each request, until it is given back. Any thread: two atomic words. */
public final class Handle {
    private final String name;
    private final ByteString bytes;
    /** Ends with it. */
    private final @Nullable Handle parent;

    private final AtomicReference<@Nullable Mono<Void>> closing = new AtomicReference<>();
    private volatile boolean isClosed;

    /** @param name of what is open, for people */
    public Handle(String name, ByteString bytes, @Nullable Handle parent) {
        this.name = name;
        this.bytes = bytes;
        this.parent = parent;
    }

    public boolean isClosed() {
        return isClosed || parent != null && parent.isClosed();
    }

    /** NO_HDL when it is closed here: then nobody has to be asked. */
    public ByteString shown() {
        if (isClosed()) throw Fault.of(FaultCode.NO_HDL, "%s is closed", name).asException();
        return bytes;
    }

    public ByteString bytes() {
        return bytes;
    }

    /**
     * Nobody can show it from now on. It is given back once, whoever asks and however often; after a failure the next call
     * tries again.
     */
    public Mono<Void> close(Mono<Void> giveBack) {
        return Mono.defer(() -> {
            boolean hasEnded = parent != null && parent.isClosed();
            isClosed = true;
            if (hasEnded) return Mono.empty();
            Mono<Void> joined = closing.get();
            if (joined != null) return joined;
            Mono<Void> mine = giveBack.onErrorResume(Handle::isGone, e -> Mono.empty())
                    .doOnError(e -> closing.set(null))
                    .cache();
            if (closing.compareAndSet(null, mine)) return mine;
            Mono<Void> theirs = closing.get();
            return theirs != null ? theirs : mine;
        });
    }

    /** Evicted, or its pool destroyed. */
    private static boolean isGone(Throwable e) {
        FaultCode code = FaultException.faultOf(e).code();
        return code == FaultCode.NO_HDL || code == FaultCode.NONEXIST;
    }
}
