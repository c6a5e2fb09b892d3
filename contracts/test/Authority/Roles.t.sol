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
    uint32 internal constant DELAY = 1 days;

    IParticipants internal registry;
    IApprover internal admins;
    IApprover internal spare;
    IApprover internal registrars;
    IApprover internal issuers;
    IApprover internal compliance;

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
        for (uint64 role = ADMIN; role <= REGISTRY; ++role) {
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
        (bool has,) = authority.hasRole(ISSUER, address(compliance));
        assertTrue(has);
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
