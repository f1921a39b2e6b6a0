package io.daosmesh.client.value;

import io.daosmesh.model.wire.UpdateRequest;

/** What must hold for an update or a removal to be carried out. */
public enum Condition {
    NONE(UpdateRequest.Condition.NONE),
    /** EXIST when the key is already there. */
    INSERT(UpdateRequest.Condition.INSERT),
    /** NONEXIST when the key is not there. */
    EXISTING(UpdateRequest.Condition.EXISTING);

    private final UpdateRequest.Condition wire;

    Condition(UpdateRequest.Condition wire) {
        this.wire = wire;
    }

    public UpdateRequest.Condition toWire() {
        return wire;
    }
}
