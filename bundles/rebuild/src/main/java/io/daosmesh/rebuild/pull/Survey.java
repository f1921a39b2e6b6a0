package io.daosmesh.rebuild.pull;

import com.google.protobuf.ByteString;
import io.daosmesh.model.port.EngineMigration.Change;
import io.daosmesh.model.port.EngineMigration.Held;
import io.daosmesh.rebuild.scan.Work;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what of the works that have come must be pulled: a new home may hold a part of a group already, and may hold
 * groups that nobody else has any more. One question at a time. Owner: rebuild loop. Pure.
 */
public final class Survey {
    /** Groups of one question. */
    public static final int ASKED_MAX = 256;

    /** Dkeys of one pull. */
    static final int DKEYS_MAX = 64;

    /** Bytes of the dkeys of one pull, but for a single longer one. */
    static final int DKEY_BYTES_MAX = 16 << 10;

    /** Questions about the same works; then all of them are pulled. */
    static final int TRIES_MAX = 10;

    private final Map<Asked, Deque<Arrival>> waiting = new LinkedHashMap<>();
    private int size;
    private @Nullable Asked asked;
    private int askedCount;
    private int tries;
    /** When the question that has failed is due again. */
    private long againAtNs;

    /** What the works of one question have in common. */
    private record Asked(int source, int destination, boolean isOwn) {
        static Asked of(Arrival a) {
            return new Asked(a.work.source(), a.work.destination(), a.isOwn);
        }
    }

    /** @param isOwn this target holds something of the group; nobody has asked it to pull it */
    public record Arrival(Work work, boolean isOwn) {}

    /** Where an answer goes. */
    public interface Outcome {
        /** All of it is here, or nothing of it is wanted. */
        void skip(Arrival arrival);

        /** @param parts to be pulled; one with all of a group, or several with some dkeys each */
        void pull(Arrival arrival, List<Work> parts);
    }

    public void add(List<Work> works, boolean isOwn) {
        for (Work w : works) add(new Arrival(w, isOwn));
    }

    private void add(Arrival a) {
        waiting.computeIfAbsent(Asked.of(a), k -> new ArrayDeque<>()).add(a);
        size++;
    }

    public int size() {
        return size;
    }

    /** The next question: works of one source for one new home; empty when none waits or one is under way. */
    public Optional<List<Arrival>> next(long nowNs) {
        if (asked != null || size == 0 || tries > 0 && nowNs - againAtNs < 0) return Optional.empty();
        Map.Entry<Asked, Deque<Arrival>> first = waiting.entrySet().iterator().next();
        List<Arrival> question = first.getValue().stream().limit(ASKED_MAX).toList();
        asked = first.getKey();
        askedCount = question.size();
        return Optional.of(question);
    }

    /** @param changes of the first works of the question, at least of one; the others are asked for again */
    public void onAnswer(List<Change> changes, Outcome out) {
        Iterator<Change> known = changes.iterator();
        for (Arrival a : taken(Math.min(askedCount, changes.size()))) {
            Change c = known.next();
            if (a.isOwn ? !c.isGone() : !c.isGone() && !c.isAll() && c.dkeys().isEmpty()) out.skip(a);
            else out.pull(a, parts(a.work, c));
        }
    }

    /** Not knowing better, everything is pulled; what nobody has asked for is left as it is. */
    public void onFailed(long nowNs, long pauseNs, Outcome out) {
        if (++tries < TRIES_MAX) {
            againAtNs = nowNs + pauseNs;
            asked = null;
            return;
        }
        for (Arrival a : taken(askedCount)) {
            if (a.isOwn) add(a);
            else out.pull(a, List.of(a.work));
        }
    }

    /** Of the question that has been answered; the next one is about others, where there are any. */
    private List<Arrival> taken(int count) {
        List<Arrival> taken = new ArrayList<>(count);
        Asked key = asked;
        Deque<Arrival> of = key == null ? null : waiting.remove(key);
        asked = null;
        tries = 0;
        if (key == null || of == null) return taken;
        while (taken.size() < count) taken.add(of.remove());
        size -= count;
        if (!of.isEmpty()) waiting.put(key, of);
        return taken;
    }

    /** What has to be pulled of a group of which the target itself knows this. */
    public static Change missing(Held held, Change since) {
        if (since.isGone()) return since;
        if (held.asOf() == 0 || since.isAll()) return Change.ALL;
        Set<ByteString> dkeys = new LinkedHashSet<>(held.dkeys());
        dkeys.addAll(since.dkeys());
        return new Change(false, false, List.copyOf(dkeys));
    }

    private static List<Work> parts(Work work, Change change) {
        if (change.isGone() || change.isAll()) return List.of(work);
        List<Work> parts = new ArrayList<>();
        List<ByteString> some = new ArrayList<>();
        int bytes = 0;
        for (ByteString dkey : change.dkeys()) {
            if (some.size() == DKEYS_MAX || !some.isEmpty() && bytes + dkey.size() > DKEY_BYTES_MAX) {
                parts.add(work.of(some));
                some.clear();
                bytes = 0;
            }
            some.add(dkey);
            bytes += dkey.size();
        }
        parts.add(work.of(some));
        return parts;
    }
}
