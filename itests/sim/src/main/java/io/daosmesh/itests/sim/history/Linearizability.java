package io.daosmesh.itests.sim.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Searches one order of the calls of a history that respects time and that a model explains: Wing and Gong 1993 with the
 * memory of visited configurations of Lowe 2017. Calls of unknown outcome may come late or not at all: they are tried last,
 * and only if the call behind them would be answered otherwise without them. A call that never changes anything is taken
 * where it fits: whatever can come after it can come after it there too. Pure; one per search.
 *
 * <p>Give it the calls of one key at a time: keys are independent of each other (Herlihy and Wing 1990, locality).
 */
public final class Linearizability<S, O> {
    private static final int SHOWN_MAX = 12;

    private final Model<S, O> model;
    private final List<Call<O>> calls;
    private final long stepsMax;
    /** Begins and ends of calls that were answered. */
    private final Entry closed = new Entry(-1, false);
    /** Begins of the others. */
    private final Entry open = new Entry(-1, false);

    private final BitSet taken = new BitSet();
    private final Set<Configuration<S>> seen = new HashSet<>();
    private final Deque<Frame<S>> path = new ArrayDeque<>();
    private S state;
    private @Nullable Entry resumed;
    private int unanswered;
    private long steps;
    private BitSet longest = new BitSet();
    private S longestState;

    /** The begin or the end of a call, in a list by time from which taken calls are lifted. */
    private static final class Entry {
        private final int call;
        private final boolean isEnd;
        /** Null for a call that was not answered. */
        private @Nullable Entry end;

        private @Nullable Entry before;
        private @Nullable Entry next;

        Entry(int call, boolean isEnd) {
            this.call = call;
            this.isEnd = isEnd;
        }

        void lift() {
            if (before != null) before.next = next;
            if (next != null) next.before = before;
        }

        void putBack() {
            if (before != null) before.next = this;
            if (next != null) next.before = this;
        }
    }

    private record Configuration<S>(BitSet taken, S state) {}

    private record Frame<S>(Entry entry, S before, boolean isForced) {}

    private Linearizability(Model<S, O> model, List<Call<O>> calls, long stepsMax) {
        this.model = model;
        this.calls = calls;
        this.stepsMax = stepsMax;
        this.state = model.initial();
        this.longestState = state;
        link();
    }

    /** @param stepsMax after so many the answer is {@link Verdict.Result#UNDECIDED} */
    public static <S, O> Verdict check(Model<S, O> model, List<Call<O>> calls, long stepsMax) {
        return new Linearizability<>(model, List.copyOf(calls), stepsMax).search();
    }

    private record Moment(long ns, Entry entry) {}

    private void link() {
        List<Moment> answered = new ArrayList<>(2 * calls.size());
        List<Moment> others = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) {
            Call<O> c = calls.get(i);
            Entry begin = new Entry(i, false);
            (c.isOpen() ? others : answered).add(new Moment(c.invokedNs(), begin));
            if (c.isOpen()) continue;
            Entry end = new Entry(i, true);
            begin.end = end;
            answered.add(new Moment(c.respondedNs(), end));
            unanswered++;
        }
        chain(closed, answered);
        chain(open, others);
    }

    private static void chain(Entry head, List<Moment> moments) {
        // at one moment: side by side
        moments.sort(Comparator.comparingLong(Moment::ns).thenComparing(m -> m.entry.isEnd));
        Entry last = head;
        for (Moment m : moments) {
            last.next = m.entry;
            m.entry.before = last;
            last = m.entry;
        }
    }

    private Verdict search() {
        Entry at = closed.next;
        while (unanswered > 0) {
            at = candidate(at);
            if (at == null) {
                // nothing that has begun by then fits: the last choice was wrong
                if (!back()) return new Verdict(Verdict.Result.NOT_LINEARIZABLE, steps, explain());
                at = resumed;
                continue;
            }
            if (++steps > stepsMax)
                return new Verdict(Verdict.Result.UNDECIDED, steps, "gave up after " + stepsMax + " steps");
            Call<O> call = calls.get(at.call);
            S after = model.apply(state, call.operation(), call.isOpen());
            at = after != null && take(at, after) ? closed.next : at.next;
        }
        return new Verdict(Verdict.Result.LINEARIZABLE, steps, "");
    }

    /** The call from there on that may be the next one: it has begun before any that is left has ended. */
    private @Nullable Entry candidate(@Nullable Entry from) {
        Entry at = from != null && from.isEnd ? open.next : from;
        if (at == null || at.end != null) return at;
        Entry first = closed.next;
        while (first != null && !first.isEnd) first = first.next;
        boolean isInTime = first == null
                || calls.get(at.call).invokedNs() <= calls.get(first.call).respondedNs();
        return isInTime ? at : null;
    }

    private boolean take(Entry entry, S after) {
        O operation = calls.get(entry.call).operation();
        boolean isOpen = entry.end == null;
        Frame<S> last = path.peek();
        if (isOpen && after.equals(state) || isPointless(last, operation, isOpen, after)) return false;
        taken.set(entry.call);
        if (!seen.add(new Configuration<>((BitSet) taken.clone(), after))) {
            taken.clear(entry.call);
            return false;
        }
        path.push(new Frame<>(entry, state, !isOpen && model.isPure(operation)));
        state = after;
        entry.lift();
        if (entry.end != null) {
            entry.end.lift();
            unanswered--;
        }
        if (taken.cardinality() > longest.cardinality()) {
            longest = (BitSet) taken.clone();
            longestState = state;
        }
        return true;
    }

    /** True if an open call was taken right before, and it could as well have been left out. */
    private boolean isPointless(@Nullable Frame<S> last, O operation, boolean isOpen, S after) {
        return last != null && last.entry.end == null && after.equals(model.apply(last.before, operation, isOpen));
    }

    /** Undoes the last choice; false if there is none. The search goes on behind it. */
    private boolean back() {
        while (!path.isEmpty()) {
            Frame<S> f = path.pop();
            Entry e = f.entry;
            if (e.end != null) {
                e.end.putBack();
                unanswered++;
            }
            e.putBack();
            taken.clear(e.call);
            state = f.before;
            if (f.isForced) continue;
            resumed = e.next;
            return true;
        }
        return false;
    }

    private String explain() {
        StringBuilder b = new StringBuilder("explained up to state ")
                .append(longestState)
                .append(", ")
                .append(longest.cardinality())
                .append(" of ")
                .append(calls.size())
                .append(" calls; not these:");
        List<Call<O>> left = new ArrayList<>();
        for (int i = 0; i < calls.size(); i++) if (!longest.get(i)) left.add(calls.get(i));
        left.sort(Comparator.comparingLong(Call::invokedNs));
        for (Call<O> c : left.subList(0, Math.min(SHOWN_MAX, left.size())))
            b.append("\n  ").append(c);
        return b.toString();
    }
}
