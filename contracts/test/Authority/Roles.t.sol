// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";

import {IApprover} from "../../src/interfaces/IApprover.sol";
import {IParticipants} from "../../src/interfaces/IParticipants.sol";
import {AssetClass, Instruction, Standing} from "../../src/interfaces/Types.sol";

import {Boards} from "../support/Boards.sol";

/// @notice The roles as they are deployed: every one held by a contract, the administrator's under a delay,
/// and the deployer left with nothing.
contract RolesTest is Boards {
    uint64 internal constant ADMIN = 0;
    uint64 internal constant REGISTRAR = 1;
    uint64 internal constant ISSUER = 2;
    uint64 internal constant COMPLIANCE = 3;
    uint64 internal constant REGISTRY = 4;
    uint64 internal constant REVOKER = 5;
    uint32 internal constant DELAY = 1 days;
    uint32 internal constant GRANT_DELAY = 3 days;
    /// @dev AccessManager's: until a changed grant delay counts.
    uint32 internal constant SETBACK = 5 days;

    IParticipants internal registry;
    IApprover internal admins;
    IApprover internal spare;
    IApprover internal registrars;
    IApprover internal issuers;
    IApprover internal compliance;
    IApprover internal revokers;

    function setUp() public override {
        super.setUp();
        nameSigners();
        registry = IParticipants(
            vm.deployCode("Participants.sol:Participants", abi.encode(authority, books))
        );
        admins = newBoard();
        spare = newBoard();
        registrars = newBoard();
        issuers = newBoard();
        compliance = newBoard();
        revokers = newBoard();
        open(address(books), books.createAsset.selector, REGISTRAR);
        open(address(books), books.issue.selector, ISSUER);
        open(address(books), books.redeem.selector, ISSUER);
        open(address(books), books.freezeAccount.selector, COMPLIANCE);
        open(address(books), books.freezeAsset.selector, COMPLIANCE);
        open(address(books), books.setStanding.selector, REGISTRY);
        open(address(registry), registry.admit.selector, REGISTRAR);
        open(address(registry), registry.openAccount.selector, REGISTRAR);
        open(address(registry), registry.setStanding.selector, REGISTRAR);
        authority.grantRole(REGISTRY, address(registry), 0);
        authority.grantRole(REGISTRAR, address(registrars), 0);
        authority.grantRole(ISSUER, address(issuers), 0);
        authority.grantRole(COMPLIANCE, address(compliance), 0);
        authority.grantRole(ADMIN, address(admins), DELAY);
        authority.grantRole(ADMIN, address(spare), DELAY);
        for (uint64 role = REGISTRAR; role <= REGISTRY; ++role) {
            authority.setGrantDelay(role, GRANT_DELAY);
            authority.setRoleAdmin(role, REVOKER);
        }
        authority.grantRole(REVOKER, address(admins), DELAY);
        authority.grantRole(REVOKER, address(spare), DELAY);
        authority.grantRole(REVOKER, address(revokers), SETBACK);
        authority.grantRole(REVOKER, address(revokers), 0);
        authority.renounceRole(ADMIN, address(this));
    }

    function open(address target, bytes4 selector, uint64 role) private {
        bytes4[] memory selectors = new bytes4[](1);
        selectors[0] = selector;
        authority.setTargetFunctionRole(target, selectors, role);
    }

    function by(IApprover board, address target, bytes memory data) private returns (bool success) {
        IApprover.Operation memory operation = operationOf(target, data);
        operation.nonce = uint64(uint256(keccak256(abi.encode(data, gasleft()))));
        (success,) = perform(board, operation, ann, bob);
    }

    function byRevokers(bytes memory data) private returns (bool) {
        return by(revokers, address(authority), data);
    }

    function holds(uint64 role, address account) private view returns (bool has) {
        (has,) = authority.hasRole(role, account);
    }

    /// @dev Schedules a call by the administrators, waits, and executes it.
    function administer(address target, bytes memory data) private returns (bool success) {
        uint48 when = uint48(vm.getBlockTimestamp() + DELAY);
        bytes memory schedule = abi.encodeCall(IAccessManager.schedule, (target, data, when));
        if (!by(admins, address(authority), schedule)) return false;
        vm.warp(when);
        return
            by(admins, address(authority), abi.encodeCall(IAccessManager.execute, (target, data)));
    }

    // ---------------------------------------------------------------- who may do what

    function test_leaves_the_deployer_and_every_plain_key_with_nothing() external {
        address[6] memory keys = [address(this), ann, amy, bob, ben, seller];
        for (uint64 role = ADMIN; role <= REVOKER; ++role) {
            for (uint256 k = 0; k < keys.length; ++k) {
                (bool has,) = authority.hasRole(role, keys[k]);
                assertFalse(has);
            }
        }
        bytes4 error_ = IAccessManaged.AccessManagedUnauthorized.selector;
        bytes memory call_ = abi.encodeCall(books.issue, (BOND, seller, 1, "ref"));
        assertReverts(address(this), call_, abi.encodeWithSelector(error_, address(this)));
        assertReverts(ann, call_, abi.encodeWithSelector(error_, ann));
    }

    function test_lets_each_role_do_its_own_and_nothing_else() external {
        bytes[4] memory calls = [
            abi.encodeCall(books.createAsset, (AssetClass.Other, 0, "NEW", ann)),
            abi.encodeCall(books.issue, (BOND, seller, 1, "ref")),
            abi.encodeCall(books.freezeAccount, (seller, true, "TEST")),
            abi.encodeCall(books.setStanding, (seller, Standing.Admitted, 0))
        ];
        IApprover[3] memory boards = [registrars, issuers, compliance];
        for (uint256 k = 0; k < calls.length; ++k) {
            for (uint256 j = 0; j < boards.length; ++j) {
                assertEq(by(boards[j], address(books), calls[k]), j == k);
            }
            assertFalse(by(admins, address(books), calls[k]), "administering is not acting");
        }
    }

    function test_admits_through_the_registry_only() external {
        address[] memory accounts = new address[](1);
        accounts[0] = stranger;
        bytes memory call_ =
            abi.encodeCall(registry.admit, ("5299000J2N45DDNE4Y28", "DEUTDEFF", 1, accounts));
        assertFalse(by(issuers, address(registry), call_));
        assertTrue(by(registrars, address(registry), call_));
        assertEq(uint8(books.accountOf(stranger).standing), uint8(Standing.Admitted));
    }

    // ---------------------------------------------------------------- the delay of the administrator

    function test_administers_under_a_delay_only() external {
        bytes memory call_ = abi.encodeCall(books.setModule, (stranger, true));
        assertFalse(by(admins, address(books), call_), "not at once");
        assertFalse(
            by(
                admins,
                address(authority),
                abi.encodeCall(IAccessManager.execute, (address(books), call_))
            )
        );
        uint48 early = uint48(vm.getBlockTimestamp() + DELAY - 1);
        bytes memory schedule =
            abi.encodeCall(IAccessManager.schedule, (address(books), call_, early));
        assertFalse(by(admins, address(authority), schedule), "not a second earlier");
        assertFalse(books.isModule(stranger));
        assertTrue(administer(address(books), call_));
        assertTrue(books.isModule(stranger));
    }

    function test_grants_a_role_under_the_delay_only() external {
        bytes memory grant =
            abi.encodeCall(IAccessManager.grantRole, (ISSUER, address(compliance), 0));
        assertFalse(by(admins, address(authority), grant));
        assertTrue(administer(address(authority), grant));
        assertTrue(holds(ISSUER, address(compliance)));
    }

    function test_counts_a_grant_three_days_later_once_the_setback_is_over() external {
        elapse(SETBACK);
        bytes memory grant =
            abi.encodeCall(IAccessManager.grantRole, (ISSUER, address(compliance), 0));
        assertTrue(administer(address(authority), grant));
        elapse(GRANT_DELAY - 1);
        assertFalse(holds(ISSUER, address(compliance)));
        elapse(1);
        assertTrue(holds(ISSUER, address(compliance)));
    }

    /// @dev The other board stops what a stolen one scheduled, within the delay and at once.
    function test_lets_the_other_administrators_stop_what_was_scheduled() external {
        bytes memory call_ = abi.encodeCall(books.setModule, (stranger, true));
        uint48 when = uint48(vm.getBlockTimestamp() + DELAY);
        assertTrue(
            by(
                admins,
                address(authority),
                abi.encodeCall(IAccessManager.schedule, (address(books), call_, when))
            )
        );
        assertTrue(
            by(
                spare,
                address(authority),
                abi.encodeCall(IAccessManager.cancel, (address(admins), address(books), call_))
            )
        );
        vm.warp(when);
        assertFalse(
            by(
                admins,
                address(authority),
                abi.encodeCall(IAccessManager.execute, (address(books), call_))
            )
        );
        assertFalse(books.isModule(stranger));
    }

    /// @dev One organisation that removes its signers ends one board; the spare one restores the right.
    function test_survives_a_board_whose_signers_are_gone() external {
        vm.startPrank(ann);
        issuers.remove(amy);
        issuers.remove(ann);
        vm.stopPrank();
        bytes memory issue = abi.encodeCall(books.issue, (BOND, seller, 1, "ref"));
        assertFalse(by(issuers, address(books), issue));
        IApprover fresh = newBoard();
        bytes memory grant = abi.encodeCall(IAccessManager.grantRole, (ISSUER, address(fresh), 0));
        assertTrue(administer(address(authority), grant));
        assertTrue(by(fresh, address(books), issue));
    }

    // ---------------------------------------------------------------- removing works at once

    function test_removes_a_signer_of_a_board_at_once() external {
        vm.prank(amy);
        compliance.remove(ann);
        bytes memory call_ = abi.encodeCall(books.freezeAccount, (seller, true, "TEST"));
        assertFalse(by(compliance, address(books), call_));
    }

    function test_takes_every_role_but_the_administrations_away_at_once() external {
        elapse(SETBACK);
        address[4] memory holders =
            [address(registrars), address(issuers), address(compliance), address(registry)];
        for (uint64 role = REGISTRAR; role <= REGISTRY; ++role) {
            address holder = holders[role - REGISTRAR];
            assertTrue(byRevokers(abi.encodeCall(IAccessManager.revokeRole, (role, holder))));
            assertFalse(holds(role, holder));
        }
        assertFalse(by(issuers, address(books), abi.encodeCall(books.issue, (BOND, seller, 1, ""))));
        // Not those above it, nor itself.
        bytes memory call_ = abi.encodeCall(IAccessManager.revokeRole, (ADMIN, address(admins)));
        assertFalse(byRevokers(call_));
        call_ = abi.encodeCall(IAccessManager.revokeRole, (REVOKER, address(admins)));
        assertFalse(byRevokers(call_));
    }

    /// @dev A grant delay counts after the setback only; until then who revokes waits as long itself.
    function test_gives_no_role_within_a_day_from_the_first_second_on() external {
        bytes memory grant = abi.encodeCall(IAccessManager.grantRole, (ISSUER, stranger, 0));
        assertFalse(byRevokers(grant));
        uint48 due = uint48(vm.getBlockTimestamp() + SETBACK);
        bytes memory early =
            abi.encodeCall(IAccessManager.schedule, (address(authority), grant, due - 1));
        assertFalse(byRevokers(early), "not a second earlier");
        bytes memory late =
            abi.encodeCall(IAccessManager.schedule, (address(authority), grant, due));
        assertTrue(byRevokers(late));
        vm.warp(due - 1);
        assertFalse(byRevokers(grant));
        vm.warp(due);
        assertTrue(byRevokers(grant));
        elapse(GRANT_DELAY - 1);
        assertFalse(holds(ISSUER, stranger));
        elapse(1);
        assertTrue(holds(ISSUER, stranger));
    }

    /// @dev Stolen keys of this board can stop the administrators from taking back what they gave, and nothing
    /// else; so these end the board's own role first, and have a day to notice.
    function test_leaves_the_administration_in_time_against_a_stolen_board() external {
        elapse(SETBACK);
        assertTrue(
            byRevokers(abi.encodeCall(IAccessManager.revokeRole, (ISSUER, address(issuers))))
        );
        assertTrue(byRevokers(abi.encodeCall(IAccessManager.grantRole, (ISSUER, stranger, 0))));
        uint256 counts = vm.getBlockTimestamp() + GRANT_DELAY;
        elapse(1 days - 1);
        bytes memory back = abi.encodeCall(IAccessManager.revokeRole, (ISSUER, stranger));
        bytes memory end = abi.encodeCall(IAccessManager.revokeRole, (REVOKER, address(revokers)));
        uint48 when = uint48(vm.getBlockTimestamp() + DELAY);
        bytes[2] memory calls = [back, end];
        for (uint256 k = 0; k < calls.length; ++k) {
            bytes memory plan =
                abi.encodeCall(IAccessManager.schedule, (address(authority), calls[k], when));
            assertTrue(by(admins, address(authority), plan));
            bytes memory stop = abi.encodeCall(
                IAccessManager.cancel, (address(admins), address(authority), calls[k])
            );
            assertEq(byRevokers(stop), k == 0);
        }
        vm.warp(when);
        assertTrue(
            by(
                admins,
                address(authority),
                abi.encodeCall(IAccessManager.execute, (address(authority), end))
            )
        );
        assertFalse(byRevokers(back));
        assertTrue(administer(address(authority), back));
        assertTrue(vm.getBlockTimestamp() < counts);
        vm.warp(counts);
        assertFalse(holds(ISSUER, stranger));
        bytes memory again = abi.encodeCall(IAccessManager.grantRole, (ISSUER, address(issuers), 0));
        assertTrue(administer(address(authority), again));
        elapse(GRANT_DELAY);
        assertTrue(holds(ISSUER, address(issuers)));
    }

    function test_gives_who_revokes_no_other_power() external {
        elapse(SETBACK);
        bytes[6] memory calls = [
            abi.encodeCall(IAccessManager.grantRole, (ADMIN, stranger, 0)),
            abi.encodeCall(IAccessManager.grantRole, (REVOKER, stranger, 0)),
            abi.encodeCall(IAccessManager.setGrantDelay, (ISSUER, 0)),
            abi.encodeCall(IAccessManager.setRoleAdmin, (ISSUER, REVOKER)),
            abi.encodeCall(IAccessManager.setRoleGuardian, (ISSUER, REVOKER)),
            abi.encodeCall(IAccessManager.setTargetClosed, (address(books), true))
        ];
        for (uint256 k = 0; k < calls.length; ++k) {
            assertFalse(byRevokers(calls[k]));
        }
    }

    function test_lets_a_board_give_up_its_role_at_once() external {
        bytes memory call_ = abi.encodeCall(IAccessManager.renounceRole, (ISSUER, address(issuers)));
        assertTrue(by(issuers, address(authority), call_));
        assertFalse(by(issuers, address(books), abi.encodeCall(books.issue, (BOND, seller, 1, ""))));
    }

    // ---------------------------------------------------------------- nobody is needed

    /// @dev Entries fail closed, exits fail open: with every role gone, trades settle and owners get out.
    function test_settles_and_lets_out_without_any_authority() external {
        by(issuers, address(books), abi.encodeCall(books.issue, (BOND, seller, 2 * PIECES, "ref")));
        by(issuers, address(books), abi.encodeCall(books.issue, (EURO, buyer, PRICE, "ref")));
        Instruction memory one = dvp(2);
        one.settleBy += 2 days;
        vm.startPrank(seller);
        books.affirm(one, new bytes[](2));
        books.reserve(one, seller, true, "");
        vm.stopPrank();
        bytes memory close = abi.encodeCall(AccessManager.setTargetClosed, (address(books), true));
        assertTrue(administer(address(authority), close));
        Instruction memory due = dvp(1);
        due.settleBy += 2 days;
        settle(due);
        vm.prank(seller);
        books.release(one, seller, "");
        assertHolds(seller, BOND, PIECES, 0);
    }
}
