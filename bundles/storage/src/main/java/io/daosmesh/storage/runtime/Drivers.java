package io.daosmesh.storage.runtime;

import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.LedDriver;
import io.daosmesh.spi.ScmDriver;

/** All bound drivers of the node. Any thread. */
record Drivers(DriverSet<BlockDriver> block, DriverSet<ScmDriver> scm, DriverSet<LedDriver> led) {
    static Drivers none() {
        return new Drivers(
                new DriverSet<>(BlockDriver::version),
                new DriverSet<>(ScmDriver::version),
                new DriverSet<>(LedDriver::version));
    }
}
