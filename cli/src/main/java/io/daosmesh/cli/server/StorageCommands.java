package io.daosmesh.cli.server;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code daos_server storage}, the spelling of DAOS 2.0 and 2.2. Owner: the main thread. */
@Command(name = "storage", description = "Old spelling of nvme and scm")
final class StorageCommands extends Sub {
    @Command(name = "scan", description = "As nvme scan and scm scan")
    int scan() {
        root().notice("storage scan is deprecated: use nvme scan and scm scan");
        Devices devices = Devices.of(root().sys(), root().file());
        Map<String, Object> json = new LinkedHashMap<>(devices.scmJson());
        json.putAll(devices.nvmeJson());
        return root().show(() -> devices.scmText() + devices.nvmeText(), () -> json);
    }

    @Command(name = "prepare", description = "As nvme prepare or scm prepare, or with --reset their reset")
    int prepare(
            @Mixin NvmeCommands.Flags flags,
            @Option(
                            names = {"-n", "--nvme-only"},
                            description = "SSDs")
                    boolean nvme,
            @Option(
                            names = {"-s", "--scm-only"},
                            description = "persistent memory")
                    boolean scm,
            @Option(names = "--reset", description = "back to the kernel") boolean reset) {
        root().notice("storage prepare is deprecated: use nvme prepare and scm prepare");
        if (nvme && scm) {
            throw Fault.of(FaultCode.INVAL, "--nvme-only and --scm-only cannot be set together")
                    .remedy("leave both out for both")
                    .asException();
        }
        Devices devices = Devices.of(root().sys(), root().file());
        boolean wantsNvme = nvme || (!scm && !devices.controllers().isEmpty());
        boolean wantsScm = scm || (!nvme && devices.modules() > 0);
        if (!wantsNvme && !wantsScm) {
            throw Fault.of(FaultCode.NONEXIST, "this machine has neither NVMe controllers nor PMem modules")
                    .remedy("nothing has to be prepared for emulated devices and SCM of class ram or file")
                    .asException();
        }
        if (wantsNvme && wantsScm && root().json) {
            throw Fault.of(FaultCode.INVAL, "one JSON document cannot hold both")
                    .remedy("add --nvme-only or --scm-only")
                    .asException();
        }
        int status = 0;
        if (wantsScm) status |= reset ? ScmCommands.reset(root()) : ScmCommands.prepare(root());
        if (wantsNvme) {
            status |=
                    reset ? NvmeCommands.reset(root(), null, flags.blocked) : NvmeCommands.prepare(root(), flags, null);
        }
        return status;
    }
}
