package io.daosmesh.client.hedge;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;

/**
 * One try of a request. A read that is not answered in time is asked of another replica as well, at most once, and the first
 * that answers wins; whatever waits long looks for newer maps. Any thread: each step is one change of its phase.
 */
final class Race<T> {
    private enum Phase {
        /** The first has been asked alone. */
        ALONE,
        BOTH,
        /** The second has refused. */
        FIRST_LEFT,
        /** The first cannot be reached, or is not waited for any more. */
        SECOND_LEFT,
        OVER
    }

    private final Watch watch;
    private final Sent sent;
    private final @Nullable Alternative<T> other;
    private final MonoSink<T> sink;
    private final long sentNs;
    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.ALONE);
    private final Disposable.Swap first = Disposables.swap();
    private final Disposable.Swap second = Disposables.swap();
    private volatile @Nullable Throwable firstError;

    Race(Watch watch, Sent sent, @Nullable Alternative<T> other, MonoSink<T> sink, long sentNs) {
        this.watch = watch;
        this.sent = sent;
        this.other = other;
        this.sink = sink;
        this.sentNs = sentNs;
    }

    void start(Mono<T> request) {
        sink.onDispose(this::cancel);
        first.update(request.contextWrite(sink.contextView())
                .subscribe(this::onFirst, this::onFirstError, () -> onFirst(null)));
    }

    private void cancel() {
        if (phase.getAndSet(Phase.OVER) == Phase.OVER) return;
        watch.remove(this);
        first.dispose();
        second.dispose();
    }

    private void onFirst(@Nullable T value) {
        Phase was = phase.getAndSet(Phase.OVER);
        if (was == Phase.OVER) return;
        watch.onFirst(sent, sentNs, other != null && was == Phase.ALONE);
        end(second);
        sink.success(value);
    }

    private void onSecond(@Nullable T value, Alternative<T> by) {
        Phase was = phase.getAndSet(Phase.OVER);
        if (was == Phase.OVER) return;
        watch.onSecond(sent, by.rank(), was != Phase.SECOND_LEFT);
        end(first);
        sink.success(value);
    }

    private void end(Disposable loser) {
        watch.remove(this);
        loser.dispose();
    }

    void fail(Throwable error) {
        if (phase.getAndSet(Phase.OVER) == Phase.OVER) return;
        watch.remove(this);
        first.dispose();
        second.dispose();
        sink.error(error);
    }

    private void onFirstError(Throwable error) {
        if (phase.get() == Phase.SECOND_LEFT) return;
        Fault fault = FaultException.faultOf(error);
        firstError = error;
        boolean isSilent = fault.code() == FaultCode.UNREACH || fault.code() == FaultCode.TIMEDOUT;
        // of a value that is damaged there another replica knows better
        boolean maySecond = isSilent || fault.code().retry() == FaultCode.Retry.OTHER_REPLICA;
        if (maySecond && phase.compareAndSet(Phase.BOTH, Phase.SECOND_LEFT)) {
            if (isSilent) watch.onLost(sent);
        } else if (!mayMove(fault) || !askOther(Phase.SECOND_LEFT)) {
            fail(error);
        }
    }

    /** A damaged copy is read elsewhere at the leader's epoch, which needs nobody's word. */
    private boolean mayMove(Fault fault) {
        return fault.code() == FaultCode.UNREACH && other != null && phase.get() == Phase.ALONE && watch.mayHedge();
    }

    private void onSecondError(Throwable error) {
        Throwable before = firstError;
        if (isAhead(FaultException.faultOf(error))) fail(error);
        else if (!phase.compareAndSet(Phase.BOTH, Phase.FIRST_LEFT)) fail(before != null ? before : error);
    }

    /** The other replica knows a newer map: the leader may be another one. */
    private boolean isAhead(Fault fault) {
        return fault.code() == FaultCode.STALE
                && fault.argument("need")
                        .filter(need -> !need.equals(Integer.toString(sent.mapVersion())))
                        .isPresent();
    }

    /** False if there is nobody to ask, or it was asked already. */
    private boolean askOther(Phase next) {
        Alternative<T> by = other;
        if (by == null || !phase.compareAndSet(Phase.ALONE, next)) return false;
        if (next == Phase.SECOND_LEFT) first.dispose();
        watch.onHedge(sent, next == Phase.SECOND_LEFT);
        second.update(by.request()
                .contextWrite(sink.contextView())
                .subscribe(v -> onSecond(v, by), this::onSecondError, () -> onSecond(null, by)));
        return true;
    }

    /** What is due by now. */
    void onTick(long nowNs) {
        long waitedNs = nowNs - sentNs;
        if (phase.get() == Phase.ALONE && other != null && waitedNs >= watch.delayNs(sent)) hedge(nowNs);
        if (waitedNs < Watch.OVERDUE_NS) return;
        if (sent.isOutdated()) fail(outdated());
        else if (phase.get() != Phase.OVER) sent.look();
    }

    /** Of a rank that answers nobody no answer is awaited: that costs no request more. */
    private void hedge(long nowNs) {
        if (watch.isAvoided(sent, nowNs)) askOther(Phase.SECOND_LEFT);
        else if (watch.mayHedge()) askOther(Phase.BOTH);
    }

    /** Whether it has been carried out is not known, as after a deadline; but nobody has to be asked where to go next. */
    private RuntimeException outdated() {
        return Fault.of(FaultCode.TIMEDOUT, "rank %d has not answered, and another one is to be asked now", sent.rank())
                .with(Watch.MAP_IS_NEW, "yes")
                .asException();
    }
}
