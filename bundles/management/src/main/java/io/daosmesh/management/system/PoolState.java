package io.daosmesh.management.system;

/** Life of a pool in the system database; the ordinals are on disk. */
public enum PoolState {
    CREATING,
    READY,
    DESTROYING
}
