package io.daosmesh.transport.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.transport.wire.Outgoing;
import io.rsocket.Payload;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscription;
import reactor.core.CoreSubscriber;
import reactor.core.Disposable;
import reactor.core.publisher.Mono;

/**
 * One request while its handler works. Any thread. Releases the request's payload when the handler has ended, and only
 * then: a caller that cancels or a deadline that passes ends the answer, not the handler, because a target loop or a
 * device may still be reading the bulk bytes.
 */
final class ServedCall extends Mono<Payload> implements Subscription {
    private static final int PENDING = 0;
    private static final int ANSWERED = 1;
    private static final int CANCELLED = 2;

    private final Responder owner;
    private final Payload request;
    private final int deadlineMs;
    private final int cost;
    private final Mono<RpcMessage> handled;
    private final AtomicInteger state = new AtomicInteger(PENDING);
    private @Nullable CoreSubscriber<? super Payload> answerTo;
    private volatile @Nullable Disposable deadline;

    ServedCall(Responder owner, Payload request, int deadlineMs, int cost, Mono<RpcMessage> handled) {
        this.owner = owner;
        this.request = request;
        this.deadlineMs = deadlineMs;
        this.cost = cost;
        this.handled = handled;
    }

    @Override
    public void subscribe(CoreSubscriber<? super Payload> actual) {
        answerTo = actual;
        actual.onSubscribe(this);
        if (deadlineMs > 0) {
            deadline = owner.deadlines().schedule(this::onDeadline, deadlineMs, TimeUnit.MILLISECONDS);
        }
        handled.subscribe(new HandlerEnd());
    }

    @Override
    public void request(long n) {
        // RSocket asks for its one answer before anything can be emitted
    }

    @Override
    public void cancel() {
        state.compareAndSet(PENDING, CANCELLED);
    }

    private void onDeadline() {
        if (state.compareAndSet(PENDING, ANSWERED)) {
            emit(owner.refusal(Fault.of(FaultCode.TIMEDOUT, "not done within %d ms", deadlineMs)));
        }
    }

    private void answer(RpcMessage reply) {
        Outgoing out = new Outgoing(reply);
        try {
            if (state.compareAndSet(PENDING, ANSWERED)) emit(owner.reply(out));
        } catch (RuntimeException e) {
            emit(owner.refusal(owner.faultOf(e)));
        } finally {
            out.finish();
        }
    }

    private void emit(Payload payload) {
        CoreSubscriber<? super Payload> to = answerTo;
        if (to == null) {
            payload.release();
            return;
        }
        to.onNext(payload);
        to.onComplete();
    }

    private void ended() {
        Disposable timer = deadline;
        if (timer != null) timer.dispose();
        request.release();
        owner.onServed(cost);
    }

    /** Takes the handler's outcome; its end is the end of the request's buffers. */
    private final class HandlerEnd implements CoreSubscriber<RpcMessage> {
        private boolean hasReply;
        private boolean hasEnded;

        @Override
        public void onSubscribe(Subscription s) {
            s.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(RpcMessage reply) {
            if (hasReply || hasEnded) {
                reply.onSent().run();
                return;
            }
            hasReply = true;
            answer(reply);
        }

        @Override
        public void onError(Throwable t) {
            if (hasEnded) return;
            hasEnded = true;
            if (state.compareAndSet(PENDING, ANSWERED)) emit(owner.refusal(owner.faultOf(t)));
            ended();
        }

        @Override
        public void onComplete() {
            if (hasEnded) return;
            hasEnded = true;
            if (!hasReply) answer(RpcMessage.of(Empty.getDefaultInstance()));
            ended();
        }
    }
}
