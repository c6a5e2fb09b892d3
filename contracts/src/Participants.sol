// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ILedger} from "./interfaces/ILedger.sol";
import {IParticipants} from "./interfaces/IParticipants.sol";
import {Standing} from "./interfaces/Types.sol";

/// @title The registry of participants
/// @dev Writes the standing of each account into the Ledger, which is all that settlement asks.
contract Participants is IParticipants, AccessManaged {
    uint256 public constant MAX_ACCOUNTS = 64;

    ILedger public immutable ledger;

    /// @dev One word a participant.
    mapping(bytes20 lei => Participant) private _participants;
    mapping(bytes20 lei => address[]) private _accountsOf;
    mapping(address account => bytes20 lei) private _leiOf;

    constructor(address authority_, ILedger ledger_) AccessManaged(authority_) {
        ledger = ledger_;
    }

    /// @inheritdoc IParticipants
    function admit(bytes20 lei, bytes11 bic, uint8 class, address[] calldata accounts)
        external
        restricted
    {
        if (lei == 0 || bic == 0) revert ParticipantInvalid(lei, bic);
        if (_participants[lei].standing != Standing.Unknown) revert ParticipantExists(lei);
        if (accounts.length > MAX_ACCOUNTS) revert TooManyAccounts(accounts.length, MAX_ACCOUNTS);
        _participants[lei] =
            Participant({standing: Standing.Admitted, class: class, bic: bic, accounts: 0});
        emit ParticipantAdmitted(lei, bic, class);
        for (uint256 k = 0; k < accounts.length; ++k) {
            _open(lei, accounts[k]);
        }
    }

    /// @inheritdoc IParticipants
    function openAccount(bytes20 lei, address account) external restricted {
        if (_participants[lei].standing == Standing.Unknown) revert ParticipantUnknown(lei);
        _open(lei, account);
    }

    /// @inheritdoc IParticipants
    function setStanding(bytes20 lei, Standing standing, bytes4 reason) external restricted {
        Participant storage participant = _participants[lei];
        if (participant.standing == Standing.Unknown) revert ParticipantUnknown(lei);
        if (standing == Standing.Unknown || standing == participant.standing) {
            revert StandingUnchanged(lei, standing);
        }
        participant.standing = standing;
        emit ParticipantStandingSet(lei, standing, reason);
        address[] storage accounts = _accountsOf[lei];
        for (uint256 k = 0; k < accounts.length; ++k) {
            ledger.setStanding(accounts[k], standing, participant.class);
        }
    }

    function _open(bytes20 lei, address account) private {
        if (account == address(0)) revert AccountInvalid(account);
        if (_leiOf[account] != 0) revert AccountTaken(account, _leiOf[account]);
        Participant storage participant = _participants[lei];
        if (participant.accounts == MAX_ACCOUNTS) {
            revert TooManyAccounts(MAX_ACCOUNTS + 1, MAX_ACCOUNTS);
        }
        participant.accounts += 1;
        _leiOf[account] = lei;
        _accountsOf[lei].push(account);
        emit AccountOpened(lei, account);
        ledger.setStanding(account, participant.standing, participant.class);
    }

    /// @inheritdoc IParticipants
    function participantOf(bytes20 lei) external view returns (Participant memory) {
        return _participants[lei];
    }

    /// @inheritdoc IParticipants
    function leiOf(address account) external view returns (bytes20) {
        return _leiOf[account];
    }

    /// @inheritdoc IParticipants
    function accountAt(bytes20 lei, uint256 index) external view returns (address) {
        return _accountsOf[lei][index];
    }
}
