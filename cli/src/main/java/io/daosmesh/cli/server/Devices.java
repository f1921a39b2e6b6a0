package io.daosmesh.cli.server;

import io.daosmesh.admin.grammar.ByteSize;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.TextTable;
import io.daosmesh.model.machine.Machine;
import io.daosmesh.model.machine.Sysfs;
import io.daosmesh.model.wire.ControllerMessage;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.NamespaceMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What this machine has to store on, as text and as JSON. Immutable. Source of the layouts: daos-admin facts 2.3. */
record Devices(
        List<ControllerMessage> controllers,
        List<NamespaceMessage> namespaces,
        int modules,
        List<DeviceInfoMessage> emulated) {
    static Devices of(Sysfs sys, ServerFile file) {
        return new Devices(
                Machine.controllers(sys),
                Machine.namespaces(sys),
                Machine.scan(sys, "").getPmemModules(),
                file.emulated().getNvmeList());
    }

    String nvmeText() {
        StringBuilder text = new StringBuilder();
        TextTable table = new TextTable("NVMe PCI", "Model", "FW Revision", "Socket ID", "Capacity", "Driver");
        controllers.forEach(c -> table.row(
                c.getAddress(),
                c.getModel(),
                c.getFirmware().isEmpty() ? null : c.getFirmware(),
                c.getNumaNode(),
                c.getSizeBytes() == 0 ? null : ByteSize.format(c.getSizeBytes()),
                c.getDriver().isEmpty() ? null : c.getDriver()));
        text.append(table.isEmpty() ? "\tNo NVMe devices found\n" : table.render());
        if (!emulated.isEmpty()) {
            TextTable files = new TextTable("Emulated", "Class", "Engine", "Capacity");
            emulated.forEach(d -> files.row(
                    d.getAddress(), d.getDeviceClass(), d.getEngineIndex(), ByteSize.format(d.getSizeBytes())));
            text.append('\n').append(files.render());
        }
        return text.append('\n').toString();
    }

    Map<String, ?> nvmeJson() {
        List<Map<String, ?>> all = new ArrayList<>();
        controllers.forEach(c -> all.add(Json.object(
                "pci_addr",
                c.getAddress(),
                "model",
                c.getModel(),
                "fw_rev",
                c.getFirmware(),
                "socket_id",
                c.getNumaNode(),
                "size_bytes",
                c.getSizeBytes(),
                "driver",
                c.getDriver())));
        List<Map<String, ?>> files = new ArrayList<>();
        emulated.forEach(d -> files.add(Json.object(
                "address",
                d.getAddress(),
                "device_class",
                d.getDeviceClass(),
                "engine_index",
                d.getEngineIndex(),
                "size_bytes",
                d.getSizeBytes())));
        return Json.object("nvme_devices", all, "emulated_devices", files);
    }

    String scmText() {
        if (namespaces.isEmpty()) {
            return modules == 0
                    ? "\tNo SCM modules found\n\n"
                    : "\t" + modules + " SCM modules without a namespace\n\n";
        }
        TextTable table = new TextTable("SCM Namespace", "Socket ID", "Capacity");
        namespaces.forEach(n -> table.row(n.getName(), n.getNumaNode(), ByteSize.format(n.getSizeBytes())));
        return table.render() + "\n";
    }

    Map<String, ?> scmJson() {
        List<Map<String, ?>> all = new ArrayList<>();
        namespaces.forEach(n -> all.add(
                Json.object("name", n.getName(), "socket_id", n.getNumaNode(), "size_bytes", n.getSizeBytes())));
        return Json.object("scm_modules", modules, "scm_namespaces", all);
    }
}
