package io.daosmesh.storage.engine;

import io.daosmesh.spi.BlockDriver;
import io.daosmesh.spi.LedDriver;
import io.daosmesh.spi.ScmDriver;
import io.daosmesh.storage.slot.DriverSet;

/** All bound drivers of the node. Any thread. */
public record Drivers(DriverSet<BlockDriver> block, DriverSet<ScmDriver> scm, DriverSet<LedDriver> led) {
    public static Drivers none() {
        return new Drivers(
                new DriverSet<>(BlockDriver::version),
                new DriverSet<>(ScmDriver::version),
                new DriverSet<>(LedDriver::version));
    }
}
