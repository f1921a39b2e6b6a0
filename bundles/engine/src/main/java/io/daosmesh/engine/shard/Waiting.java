package io.daosmesh.engine.shard;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Requests that wait for something, bounded in number and in time. Each is tried again or refused, exactly once, and outside
 * of the list: it may come back at once. Owner: target loop.
 *
 * @param <K> what it waits for
 */
public final class Waiting<K> {
    /** As the longest wait: whatever is waited for comes by itself. */
    public static final long UNBOUNDED_NS = Long.MAX_VALUE;

    private final String what;
    private final int countMax;
    private final long waitMaxNs;
    private List<Waiter<K>> waiters = new ArrayList<>();

    /**
     * @param refuse told why when it is not tried again
     * @param late why, should the time run out
     */
    public record Waiter<K>(K key, long sinceNs, Runnable retry, Consumer<Fault> refuse, Supplier<Fault> late) {}

    /** @param what they are, in the plural, as a refusal calls them */
    public Waiting(String what, int countMax, long waitMaxNs) {
        this.what = what;
        this.countMax = countMax;
        this.waitMaxNs = waitMaxNs;
    }

    public boolean isEmpty() {
        return waiters.isEmpty();
    }

    public long count(Predicate<K> of) {
        return waiters.stream().filter(w -> of.test(w.key)).count();
    }

    /** False if it was refused, because too many wait already. */
    public boolean add(Waiter<K> waiter) {
        if (waiters.size() >= countMax) {
            waiter.refuse.accept(Fault.of(FaultCode.BUSY, "%d %s wait already", countMax, what));
            return false;
        }
        waiters.add(waiter);
        return true;
    }

    /** Those whose wait is over, in the order they came. */
    public List<Waiter<K>> take(Predicate<Waiter<K>> isOver) {
        if (waiters.isEmpty()) return List.of();
        List<Waiter<K>> over = new ArrayList<>();
        waiters.removeIf(w -> isOver.test(w) && over.add(w));
        return over;
    }

    public List<Waiter<K>> takeAll() {
        List<Waiter<K>> all = waiters;
        waiters = new ArrayList<>();
        return all;
    }

    /** Refuses those that have waited too long. */
    public void onTick(long nowNs) {
        for (Waiter<K> w : take(w -> nowNs - w.sinceNs >= waitMaxNs)) w.refuse.accept(w.late.get());
    }

    public void refuseAll(Fault why) {
        for (Waiter<K> w : takeAll()) w.refuse.accept(why);
    }
}
