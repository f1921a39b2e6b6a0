package io.daosmesh.engine.vos;

import io.daosmesh.engine.turn.Answer;
import io.daosmesh.engine.turn.TurnPipeline;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.storage.kv.KvCursor;
import io.daosmesh.storage.kv.KvRange;
import io.daosmesh.storage.kv.KvReader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Looks for the trace of an update in the records of a dkey. Goes on over as many turns of the loop as it takes: an answer
 * is exact, because "not found" makes the asker drop an update that may have been acknowledged. Owner: target loop.
 */
public final class RecordSearch {
    /** Entries looked at in one step: about a millisecond of the loop. */
    public static final int STEP_ENTRIES = 256;
    /** Searches under way or kept; more are refused, and asked for again. */
    public static final int SEARCHES_MAX = 64;
    /** Askers of one search: whoever gave up waiting asks again. */
    public static final int ASKERS_MAX = 16;
    /** An answer stays for those whose patience ended before the search. */
    private static final long KEPT_NS = 10_000_000_000L;

    private final KvReader kv;
    private final TurnPipeline.Loop loop;
    private final LongSupplier clock;
    private final Map<What, Search> searches = new HashMap<>();

    /** @param clock nanoseconds */
    public RecordSearch(KvReader kv, TurnPipeline.Loop loop, LongSupplier clock) {
        this.kv = kv;
        this.loop = loop;
        this.clock = clock;
    }

    /**
     * @param mapVersion under another map the group may have been deleted or filled here meanwhile
     * @param replaceCount when records have taken the place of others since, a search may have missed what it looks for
     */
    public record What(ByteKey scope, long epoch, int mapVersion, long replaceCount) {}

    private static final class Search {
        final List<Answer<Boolean>> askers = new ArrayList<>(1);
        boolean isDone;
        boolean isFound;
        long endedNs;
    }

    /** Some search goes on in a further turn. */
    public boolean isUnderWay() {
        return searches.values().stream().anyMatch(s -> !s.isDone);
    }

    /** Answers on the loop, now or in a later turn; BUSY when too many are under way. */
    public void ask(What what, Answer<Boolean> answer) {
        long now = clock.getAsLong();
        searches.values().removeIf(s -> s.isDone && now - s.endedNs > KEPT_NS);
        Search known = searches.get(what);
        if (known != null && known.isDone) {
            answer.answer(known.isFound, null);
            return;
        }
        if (known == null ? searches.size() >= SEARCHES_MAX : known.askers.size() >= ASKERS_MAX) {
            answer.refuse(Fault.of(FaultCode.BUSY, "too many traces of updates are being looked for"));
            return;
        }
        Search search = known == null ? new Search() : known;
        search.askers.add(answer);
        if (known != null) return;
        searches.put(what, search);
        step(what, search, what.scope.bytes());
    }

    private void step(What what, Search search, byte[] from) {
        try {
            Step step = step(kv, what.scope.bytes(), what.epoch, from);
            byte[] next = step.next;
            if (next != null) {
                loop.execute(() -> step(what, search, next));
                return;
            }
            search.isDone = true;
            search.isFound = step.isFound;
            search.endedNs = clock.getAsLong();
            for (Answer<Boolean> a : search.askers) a.answer(search.isFound, null);
            search.askers.clear();
        } catch (FaultException e) {
            searches.remove(what);
            for (Answer<Boolean> a : search.askers) a.refuse(e.fault());
        }
    }

    /** @param next where to go on; null = found, or there is nothing more */
    private record Step(boolean isFound, byte @Nullable [] next) {}

    /**
     * Two look-ups for each value or punch, however many versions it has. In the place of an extent also the newer versions
     * count: what was put together from several has the traces of all.
     */
    private static Step step(KvReader kv, byte[] scope, long epoch, byte[] from) {
        byte[] at = from;
        try (KvCursor c = kv.cursor(KvRange.prefix(scope))) {
            c.seek(at);
            for (int i = 0; i < STEP_ENTRIES; i++) {
                if (!c.next()) return new Step(false, null);
                at = c.key();
                long here = Keys.epoch(at);
                if (here == epoch || here > epoch && isOrigin(at, c, epoch)) return new Step(true, null);
                if (here > epoch && Keys.isExtent(at)) continue;
                byte[] line = Keys.line(at);
                at = here > epoch ? Keys.atOrBelow(line, epoch) : Keys.behind(line);
                c.seek(at);
            }
        }
        return new Step(false, at);
    }

    private static boolean isOrigin(byte[] key, KvCursor c, long epoch) {
        if (Keys.kind(key) != VosRecord.EXTENT) return false;
        byte[] value = c.value();
        return VosRecord.isMerged(value)
                && VosRecord.decode(key, value).origins().has(epoch);
    }
}
