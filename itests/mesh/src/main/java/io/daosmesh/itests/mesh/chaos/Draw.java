package io.daosmesh.itests.mesh.chaos;

import io.daosmesh.itests.mesh.chaos.Ledger.ContainerEntry;
import io.daosmesh.itests.mesh.chaos.Ledger.Fate;
import io.daosmesh.itests.mesh.chaos.Ledger.PoolEntry;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;

/** What an operation is about, by the seed. Owner: the thread of the operations. */
final class Draw {
    static final List<String> USERS = List.of("ada", "bob", "eve");

    private final Ledger ledger;
    private final SplittableRandom random;
    private final String run;
    private int made;

    Draw(Ledger ledger, SplittableRandom random, String run) {
        this.ledger = ledger;
        this.random = random;
        this.run = run;
    }

    int below(int bound) {
        return random.nextInt(bound);
    }

    boolean mayBe() {
        return random.nextBoolean();
    }

    <T> T of(List<T> some) {
        return some.get(random.nextInt(some.size()));
    }

    /** One that the first of them is not: that stays to the end. */
    <T> Optional<T> butFirst(List<T> some) {
        return some.size() < 2 ? Optional.empty() : Optional.of(some.get(1 + random.nextInt(some.size() - 1)));
    }

    String fresh(String what) {
        return run + "-" + what + ++made;
    }

    String user() {
        return of(USERS);
    }

    PoolEntry pool() {
        return of(ledger.pools(Fate.THERE));
    }

    Optional<ContainerEntry> container(PoolEntry pool) {
        List<ContainerEntry> there = pool.with(Fate.THERE);
        return there.isEmpty() ? Optional.empty() : Optional.of(of(there));
    }
}
