package io.daosmesh.swim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.swim.SwimConfig.Limits;
import io.daosmesh.swim.SwimConfig.Probe;
import io.daosmesh.swim.SwimConfig.Suspect;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

class SwimPartsTest {
    private static final SwimConfig DEFAULTS = SwimConfig.defaults();

    @Test
    void shouldLeaveDeadOnlyWhereTheTableAllows() {
        assertTrue(MemberState.DEAD.mayBecome(MemberState.ALIVE));
        assertFalse(MemberState.DEAD.mayBecome(MemberState.DEAD));
        assertFalse(MemberState.ALIVE.mayBecome(MemberState.INACTIVE));
        assertFalse(MemberState.SUSPECT.mayBecome(MemberState.INACTIVE));
    }

    @Test
    void shouldKeepLocalHealthWithinItsBounds() {
        LocalHealth health = new LocalHealth(8);

        health.add(-3);
        assertEquals(100, health.stretch(100));
        health.add(20);

        assertEquals(8, health.score());
        assertEquals(900, health.stretch(100));
    }

    @Test
    void shouldShrinkSuspicionWithEachIndependentAccuser() {
        Suspicion suspicion = new Suspicion(0, 1_000, 4_000, 3);
        List<Long> deadlines = new ArrayList<>();

        for (int accuser = 1; accuser <= 4; accuser++) {
            assertTrue(suspicion.confirm(accuser));
            assertFalse(suspicion.confirm(accuser), "the same accuser again says nothing new");
            deadlines.add(suspicion.deadlineNs());
        }

        // max - (max - min) * log(C + 1) / log(K + 1), K = 3
        assertEquals(List.of(4_000L, 2_500L, 1_623L, 1_000L), deadlines);
        assertFalse(suspicion.confirm(5), "more than K confirmations do not count");
    }

    @Test
    void shouldUseShortestSuspicionWhenNobodyCouldConfirm() {
        assertEquals(1_000, new Suspicion(0, 1_000, 4_000, 0).deadlineNs());
    }

    @Test
    void shouldAskBeforeGivingUpEvenWhenTheEndComesEarly() {
        Suspicion suspicion = new Suspicion(0, 1_000, 1_000, 0);

        assertFalse(suspicion.mayCall(799, 100));
        assertTrue(suspicion.mayCall(950, 100), "first call, late");
        assertFalse(suspicion.isOver(1_000, 100), "the last call had no time for an answer yet");
        assertTrue(suspicion.mayCall(1_000, 100), "second call");
        assertFalse(suspicion.mayCall(1_050, 100));

        assertTrue(suspicion.isOver(1_100, 100));
    }

    @Test
    void shouldTellNewsLeastToldFirstAndNewestFirstAmongEquals() {
        GossipQueue queue = new GossipQueue(10);
        queue.add(1);
        queue.add(2);
        queue.add(3);

        assertEquals(List.of(3, 2), pick(queue, 2, 2, -1));
        assertEquals(List.of(1, 3), pick(queue, 2, 2, -1), "3 is told twice and done");
        assertEquals(List.of(2), pick(queue, 2, 2, 1), "the receiver's own news is not told to it");
        assertEquals(List.of(1), pick(queue, 2, 2, -1));
        assertEquals(0, queue.size());
    }

    @Test
    void shouldDropMostToldNewsWhenFull() {
        GossipQueue queue = new GossipQueue(2);
        queue.add(1);
        pick(queue, 1, 9, -1);
        queue.add(2);
        queue.add(3);

        assertEquals(2, queue.size());
        assertEquals(List.of(3, 2), pick(queue, 2, 9, -1));
    }

    @Test
    void shouldProbeEveryMemberOncePerRoundAndBoundTheGap() {
        ProbeOrder order = new ProbeOrder(new Dice(1));
        for (int rank = 0; rank < 20; rank++) {
            order.add(rank);
        }
        for (int i = 0; i < 20; i++) {
            order.next(); // members were inserted into a round under way
        }

        for (int round = 0; round < 50; round++) {
            Set<Integer> seen = new HashSet<>();
            for (int i = 0; i < 20; i++) {
                seen.add(order.next());
            }
            assertEquals(20, seen.size());
        }
    }

    @Test
    void shouldGoOnWithTheRoundWhenMembersLeave() {
        ProbeOrder order = new ProbeOrder(new Dice(1));
        order.add(1);
        order.add(2);
        order.add(3);
        int first = order.next();

        order.remove(first);
        order.remove(99);

        assertEquals(2, order.count());
        assertFalse(Set.of(order.next(), order.next()).contains(first));
    }

    @Test
    void shouldBoundUpdatesAccusers() {
        SwimUpdate update = new SwimUpdate(1, MemberState.SUSPECT, 1, List.of(2, 3, 4, 5, 6, 7), -5);

        assertEquals(SwimUpdate.ACCUSERS_MAX, update.accusers().size());
        assertEquals(0, update.restartForNs());
    }

    @Test
    void shouldRefuseNonsenseNamingTheKey() {
        Suspect suspect = DEFAULTS.suspect();
        Probe probe = DEFAULTS.probe();
        Limits limits = DEFAULTS.limits();

        refuses("swim.period.ms", () -> new Probe(0, 1, 1, 1, 2));
        refuses("swim.ping.timeout.ms", () -> new Probe(10, 0, 1, 1, 2));
        refuses("swim.tick.ms", () -> new Probe(10, 1, 1, 6, 20));
        refuses("swim.late.ms", () -> new Probe(10, 1, 1, 5, 9));
        refuses("swim.suspicion.ms", () -> new Suspect(0, 3, 3, 1, 1));
        refuses("swim.suspicion.factor", () -> new Suspect(1, 0, 3, 1, 1));
        refuses("swim.confirmations", () -> new Suspect(1, 3, 4, 1, 1));
        refuses("swim.updates", () -> new Limits(3, 0, 3, 8, 10, 64));
        refuses("swim.health.max", () -> new Limits(3, 8, 3, 9, 10, 64));
        refuses("swim.suspicion.ms", () -> new SwimConfig(probe, new Suspect(1, 3, 3, 1, 1), limits));
        Probe dense =
                new Probe(SwimConfig.ms(10), SwimConfig.ms(500), SwimConfig.ms(500), SwimConfig.ms(5), 10_000_000);
        refuses("swim.period.ms", () -> new SwimConfig(dense, suspect, limits));
    }

    @Test
    void shouldKeepTheDerivedBoundsOfThreeMembers() {
        Probe p = DEFAULTS.probe();
        long accusedNs = p.pingTimeoutNs() + p.indirectTimeoutNs();
        long earliestNs = accusedNs + DEFAULTS.suspicionMinNs(3);
        // two members in two rounds: at most three periods between two probes of the same one, and two ticks of
        // rounding
        long latestNs = 3 * p.periodNs() + earliestNs + 4 * p.tickNs();

        assertTrue(earliestNs >= SwimConfig.ms(3_900), "a pause of 3 s must leave 0.9 s to refute");
        assertTrue(latestNs <= SwimConfig.ms(5_500), "silence must leave 0.5 s of the 6 s to a busy machine");
        assertEquals(DEFAULTS.suspicionMinNs(3) * 3, DEFAULTS.suspicionMinNs(1_000));
    }

    private static void refuses(String key, Executable construction) {
        FaultException refusal = assertThrows(FaultException.class, construction);
        assertEquals(FaultCode.INVAL, refusal.code());
        assertEquals(key, refusal.fault().arguments().get("key"));
        assertTrue(refusal.getMessage().contains(key), refusal.getMessage());
    }

    private static List<Integer> pick(GossipQueue queue, int countMax, int toldMax, int exceptRank) {
        List<Integer> picked = new ArrayList<>();
        queue.pick(countMax, toldMax, exceptRank, picked::add);
        return picked;
    }
}
