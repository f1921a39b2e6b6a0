package io.daosmesh.swim;

import java.util.Arrays;

/**
 * The members in the order they are probed: a random permutation, walked and shuffled again (SWIM, section 4.3), so
 * that the time until a member is probed is bounded and not only expected. Owner: membership loop.
 */
final class ProbeOrder {
    private final Dice dice;
    private int[] ranks = new int[8];
    private int count;
    private int nextIndex;

    ProbeOrder(Dice dice) {
        this.dice = dice;
    }

    void add(int rank) {
        if (count == ranks.length) {
            ranks = Arrays.copyOf(ranks, count * 2);
        }
        int at = dice.nextInt(count + 1);
        ranks[count++] = ranks[at];
        ranks[at] = rank;
    }

    void remove(int rank) {
        for (int i = 0; i < count; i++) {
            if (ranks[i] == rank) {
                System.arraycopy(ranks, i + 1, ranks, i, count - i - 1);
                count--;
                if (nextIndex > i) {
                    nextIndex--;
                }
                return;
            }
        }
    }

    int count() {
        return count;
    }

    /** Must not be called while empty. */
    int next() {
        if (nextIndex >= count) {
            nextIndex = 0;
            for (int i = count - 1; i > 0; i--) {
                int j = dice.nextInt(i + 1);
                int swapped = ranks[i];
                ranks[i] = ranks[j];
                ranks[j] = swapped;
            }
        }
        return ranks[nextIndex++];
    }

    /** Any member, uniformly. Must not be called while empty. */
    int any() {
        return ranks[dice.nextInt(count)];
    }

    int at(int index) {
        return ranks[index];
    }
}
