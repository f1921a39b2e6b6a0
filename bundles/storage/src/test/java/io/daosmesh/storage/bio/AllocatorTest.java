package io.daosmesh.storage.bio;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.fault.Invariant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AllocatorTest {
    private static final int B = Allocator.BLOCK_BYTES;

    @Test
    void shouldContinueBehindTheLastExtent() {
        Allocator a = new Allocator(100 * B, 10);

        assertEquals(List.of(new Extent(0, B)), a.allocate(1, 0));
        assertEquals(List.of(new Extent(B, 3L * B)), a.allocate(3 * B - 5, 0));
        assertEquals(2, a.counters().hintCount());
        assertEquals(96L * B, a.freeBytes());
    }

    @Test
    void shouldKeepAReserveForWhatMayUseIt() {
        Allocator a = new Allocator(10 * B, 10);
        a.keep(3 * B - 1);
        a.allocateUsable(7 * B, 0);

        FaultException full = assertThrows(FaultException.class, () -> a.allocateUsable(1, 0));
        assertEquals(FaultCode.NOSPACE, full.code());
        assertEquals(0, a.usableBytes());
        assertEquals(3L * B, a.freeBytes());
        Extent reserve = a.allocate(2 * B, 0).get(0);
        assertEquals(0, a.usableBytes());
        a.retire(new Extent(0, 3L * B));
        assertEquals(B, a.usableBytes());
        a.retire(reserve);
        assertEquals(
                3,
                a.allocateUsable(3 * B, 0).stream()
                                .mapToLong(Extent::lengthBytes)
                                .sum()
                        / B);
        a.keep(0);
        assertEquals(
                3,
                a.allocateUsable(3 * B, 0).stream()
                                .mapToLong(Extent::lengthBytes)
                                .sum()
                        / B);
    }

    @Test
    void shouldLetFreedExtentsAge() {
        Allocator a = new Allocator(4 * B, 10);
        Extent all = a.allocate(4 * B, 0).get(0);
        a.free(all, 100);

        FaultException e = assertThrows(FaultException.class, () -> a.allocate(B, 109));
        assertEquals(FaultCode.AGAIN, e.code());
        assertEquals(1, a.allocate(B, 110).size());
    }

    @Test
    void shouldUseBlocksAgainBeforeItTouchesNewOnes() {
        Allocator a = new Allocator(100 * B, 10);
        a.allocate(8 * B, 0);
        a.retire(new Extent(2L * B, 2L * B));

        assertEquals(List.of(new Extent(2L * B, B)), a.allocate(B, 0));
        assertEquals(List.of(new Extent(3L * B, B)), a.allocate(B, 0));
        assertEquals(List.of(new Extent(8L * B, B)), a.allocate(B, 0), "nothing else fits");
        a.retire(new Extent(0, B));
        assertEquals(List.of(new Extent(9L * B, 2L * B)), a.allocate(2 * B, 0), "not in pieces while there is room");
    }

    @Test
    void shouldKeepRetiredExtentsWhileAReadMayLookAtThem() {
        Allocator a = new Allocator(4 * B, 10);
        a.allocate(4 * B, 0);
        long before = a.beginRead();
        a.retire(new Extent(0, B));

        assertEquals(
                FaultCode.AGAIN,
                assertThrows(FaultException.class, () -> a.allocate(B, 1_000)).code());
        long after = a.beginRead();
        a.endRead(before);

        assertEquals(List.of(new Extent(0, B)), a.allocate(B, 0), "a later read found another record");
        a.endRead(after);
    }

    @Test
    void shouldNotForgetAReadThatHangs() {
        Allocator a = new Allocator(4 * B, 10);
        Extent all = a.allocate(4 * B, 0).get(0);
        long hanging = a.beginRead();
        a.retire(all);
        for (int i = 0; i < 1_000; i++) {
            long g = a.beginRead();
            assertThrows(FaultException.class, () -> a.allocate(B, 0));
            a.endRead(g);
        }

        a.endRead(hanging);

        assertEquals(List.of(all), a.allocate(4 * B, 0));
    }

    @Test
    void shouldAnswerNoSpaceWhenFull() {
        Allocator a = new Allocator(4 * B, 10);
        a.allocate(3 * B, 0);

        FaultException e = assertThrows(FaultException.class, () -> a.allocate(2 * B, 0));

        assertEquals(FaultCode.NOSPACE, e.code());
        assertEquals(1, a.allocate(B, 0).size(), "a refusal takes nothing");
    }

    @Test
    void shouldGiveSeveralPiecesWhenFragmented() {
        Allocator a = new Allocator(8 * B, 0);
        for (int i = 0; i < 8; i++) a.allocate(B, 0);
        for (int i = 0; i < 8; i += 2) a.free(new Extent((long) i * B, B), 0);

        List<Extent> pieces = a.allocate(3 * B, 1);

        assertEquals(3, pieces.size());
        assertEquals(B, a.freeBytes());
    }

    @Test
    void shouldRefuseTooManyPiecesAndTakeNothing() {
        int n = 2 * Allocator.PIECES_MAX + 4;
        Allocator a = new Allocator((long) n * B, 0);
        for (int i = 0; i < n; i++) a.allocate(B, 0);
        for (int i = 0; i < n; i += 2) a.free(new Extent((long) i * B, B), 0);
        long free = a.freeBytes();

        FaultException e = assertThrows(FaultException.class, () -> a.allocate((Allocator.PIECES_MAX + 1L) * B, 1));

        assertEquals(FaultCode.NOSPACE, e.code());
        assertEquals(free, a.freeBytes());
    }

    @Test
    void shouldRebuildFromMarks() {
        Allocator a = new Allocator(10 * B, 5);
        Allocator.Recount first = a.recount();

        assertTrue(first.markUsed(new Extent(2L * B, 3L * B)));
        assertFalse(first.markUsed(new Extent(4L * B, B)), "shared by two: damaged");
        assertThrows(Invariant.InvariantBroken.class, () -> first.markUsed(new Extent(9L * B, 2L * B)));
        first.end(0);

        assertEquals(7L * B, a.freeBytes());
        assertEquals(0, a.counters().agingBlocks(), "nobody was here before");
    }

    @Test
    void shouldGetBackWhatAFormerOwnerLeavesAndLetItAge() {
        Allocator a = new Allocator(20 * B, 5);
        for (int i = 0; i < 12; i++) a.allocate(B, 0);
        a.free(new Extent(3L * B, B), 0);
        a.retire(new Extent(5L * B, B));
        a.free(new Extent(7L * B, B), 0);
        a.allocate(B, 6);

        Allocator.Recount recount = a.recount();
        assertTrue(recount.markUsed(new Extent(B, 2L * B)));
        assertTrue(recount.markUsed(new Extent(14L * B, B)));
        recount.end(10);

        assertEquals(3L * B, a.usedBytes());
        Allocator.Counters c = a.counters();
        assertEquals(20 - 3, c.freeBlocks() + c.agingBlocks());
        BitSet given = new BitSet();
        while (a.counters().freeBlocks() > 0)
            given.set((int) (a.allocate(B, 14).get(0).offsetBytes() / B));
        assertTrue(given.get(7), "it had aged, and was given to nobody");
        for (int cut : List.of(0, 3, 4, 6, 8, 9, 10, 11))
            assertFalse(given.get(cut), "a write may be on its way to " + cut);
        for (int i : List.of(1, 2, 14)) assertFalse(given.get(i), i + " is used");
        while (a.freeBytes() > 0) given.set((int) (a.allocate(B, 15).get(0).offsetBytes() / B));
        assertEquals(17, given.cardinality());
    }

    @Test
    void shouldNotWaitForReadsThatAFormerOwnerNeverEnds() {
        Allocator a = new Allocator(10 * B, 5);
        long lost = a.beginRead();
        Extent kept = a.allocate(10 * B, 0).get(0);
        Allocator.Recount recount = a.recount();
        recount.markUsed(kept);
        recount.end(10);

        a.retire(kept);
        assertEquals(
                FaultCode.AGAIN,
                assertThrows(FaultException.class, () -> a.allocate(B, 14)).code(),
                "the read may be under way");
        a.endRead(lost);
        assertEquals(10L * B, a.allocate(10 * B, 15).get(0).lengthBytes());
        long own = a.beginRead();
        a.retire(kept);
        assertThrows(FaultException.class, () -> a.allocate(B, 16));
        a.endRead(own);
        a.allocate(B, 16);
    }

    @Test
    void shouldNoticeDoubleFree() {
        Allocator a = new Allocator(10 * B, 0);
        Extent e = a.allocate(2 * B, 0).get(0);
        a.free(e, 0);
        a.allocate(B, 5);

        assertThrows(Invariant.InvariantBroken.class, () -> a.free(new Extent(B, B), 6));
    }

    /** A read under way, and what was retired since it began. */
    private record Read(long generation, BitSet protectedBlocks) {}

    @Test
    void shouldNeverGiveABlockTwiceNorUnderARead() {
        int blocks = 500;
        Allocator a = new Allocator((long) blocks * B, 3);
        BitSet used = new BitSet();
        List<Extent> held = new ArrayList<>();
        List<Read> reads = new ArrayList<>();
        Random random = new Random(3);
        for (int step = 0; step < 20_000; step++) {
            if (random.nextInt(100) < 55) {
                try {
                    for (Extent e : a.allocate((1 + random.nextInt(12)) * B, step)) {
                        int from = (int) (e.offsetBytes() / B);
                        int to = (int) (e.endBytes() / B);
                        assertTrue(used.get(from, to).isEmpty(), "block given twice at step " + step);
                        for (Read r : reads)
                            assertTrue(
                                    r.protectedBlocks.get(from, to).isEmpty(), "block of a read given at step " + step);
                        used.set(from, to);
                        held.add(e);
                    }
                } catch (FaultException e) {
                    assertTrue(e.code() == FaultCode.NOSPACE || e.code() == FaultCode.AGAIN);
                }
            } else if (!held.isEmpty()) {
                Extent e = held.remove(random.nextInt(held.size()));
                used.clear((int) (e.offsetBytes() / B), (int) (e.endBytes() / B));
                if (random.nextBoolean()) {
                    a.free(e, step);
                } else {
                    a.retire(e);
                    for (Read r : reads) r.protectedBlocks.set((int) (e.offsetBytes() / B), (int) (e.endBytes() / B));
                }
            }
            if (random.nextInt(10) == 0) reads.add(new Read(a.beginRead(), new BitSet()));
            if (random.nextInt(10) == 0 && !reads.isEmpty())
                a.endRead(reads.remove(random.nextInt(reads.size())).generation);
            assertEquals((long) used.cardinality() * B, a.usedBytes());
        }
    }
}
