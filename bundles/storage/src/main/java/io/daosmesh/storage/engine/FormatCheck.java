package io.daosmesh.storage.engine;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.storage.smd.Superblock;

/** Whether what lies on an engine's SCM is what the configuration speaks of. Pure. */
final class FormatCheck {
    private FormatCheck() {}

    /** ID_MISMATCH for another system, INVAL for another number of targets. */
    static void check(Superblock superblock, NodeConfig.Engine config, String system) {
        if (!superblock.system().equals(system))
            throw Fault.of(
                            FaultCode.ID_MISMATCH,
                            "engine %d belongs to system %s, the configuration says %s",
                            config.index(),
                            superblock.system(),
                            system)
                    .asException();
        if (superblock.targetCount() != config.targetCount())
            throw Fault.of(
                            FaultCode.INVAL,
                            "engine %d was formatted with %d targets, the configuration says %d",
                            config.index(),
                            superblock.targetCount(),
                            config.targetCount())
                    .remedy("set targets back, or format the storage again")
                    .asException();
    }
}
