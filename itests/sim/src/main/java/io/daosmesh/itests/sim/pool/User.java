package io.daosmesh.itests.sim.pool;

/** Who uses the pool, one call at a time. Owner: the timeline. */
interface User {
    /** Begins the next call, as long as the world is open. */
    void start();

    /** False while a call is not answered. */
    boolean isIdle();

    String doing();
}
